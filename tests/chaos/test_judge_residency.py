"""What the judge takes from the office's calls about who lived where."""

from __future__ import annotations

from typing import Any

from tools.chaos.judge.residency import Stays

HERE = {"user": "u", "apartment": "a"}


def call(action: str, begin: float, end: float, code: str = "", attempts: int = 1) -> Any:
    answer = {"status": "rejected", "code": code} if code else {"status": "done", "data": {}}
    args = {**HERE, "since": "2020-01-01T00:00:00Z"}
    return {
        "e": "office", "action": action, "t0": begin, "t": end,
        "args": args, "answer": answer, "attempts": attempts,
    }  # fmt: skip


def test_an_end_ends_also_a_grant_that_was_made_twice() -> None:
    stays = Stays(
        [
            call("grant", 1, 2),
            call("grant", 3, 5, "residency_exists", attempts=2),
            call("end", 7, 8),
        ]
    )
    assert stays.surely_covered("u", "a", 2, 7)
    assert not stays.surely_covered("u", "a", 8, 9)
    assert stays.may_have_met("u", "a", 9, 10) == []


def test_a_grant_made_again_while_a_stay_lasts_begins_no_other() -> None:
    from_now_on = call("grant", 1, 2)
    from_now_on["args"] = {**HERE, "since": None}
    calls = [from_now_on, call("grant", 3, 5, "residency_exists", attempts=2)]
    stays = Stays(calls, clock_steps=[7.0])
    assert stays.surely_covered("u", "a", 2, 7)
    assert not stays.surely_covered("u", "a", 5, 8)


def test_a_grant_whose_first_attempt_got_lost_begins_a_stay() -> None:
    stays = Stays([call("grant", 3, 5, "residency_exists", attempts=2)])
    assert stays.surely_covered("u", "a", 5, 9)
    assert not stays.surely_covered("u", "a", 4, 9)

"""The parts of the world by themselves: copy, mailbox, wallet, cast, office, choices."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psycopg2
import pytest

from tools.chaos.world.api import Ask, Sent, subject_of
from tools.chaos.world.board import Board, SentBill
from tools.chaos.world.cast import cast as cast_of
from tools.chaos.world.cast import movers
from tools.chaos.world.correspondent import Correspondent
from tools.chaos.world.history_copy import HistoryCopy
from tools.chaos.world.mailbox import Mailbox
from tools.chaos.world.office import Office
from tools.chaos.world.recorder import Recorder
from tools.chaos.world.resident import Resident
from tools.chaos.world.thief import forged
from tools.chaos.world.wallet import Owed, Wallet

Json = dict[str, Any]


def event(bill: str, at: str) -> Json:
    return {"event": "payment", "payment_id": "p", "bill_id": bill, "posted_at": at}


def part(down: str, up: str, *events: Json, more: bool = False) -> Json:
    covered = {"date_down": down, "date_up": up}
    return {"covered": covered, "cursor": f"{up}!", "more": more, "settled_debts": list(events)}


# The copy of a history ---------------------------------------------------------------------------


def test_a_copy_asks_with_frame_and_cursor_as_they_came() -> None:
    copy = HistoryCopy()
    assert copy.question("cursor") == {"date_down": None, "date_up": None}
    copy.take([part("1", "5", event("a", "3"))])
    assert copy.question("cursor") == {"date_down": "1", "date_up": "5", "cursor": "5!"}
    assert copy.question("frame") == {"date_down": "1", "date_up": "5"}
    assert copy.question("nothing") == {"date_down": None, "date_up": None}


def test_a_copy_drops_what_lies_outside_of_what_is_covered() -> None:
    copy = HistoryCopy()
    copy.take([part("1", "5", event("a", "1"), event("b", "4"))])
    copy.take([part("2", "7", event("c", "6"), more=True)])
    assert copy.identities() == [["payment", "p", "b"], ["payment", "p", "c"]]
    assert copy.more


def test_a_copy_that_forgot_starts_with_nothing() -> None:
    copy = HistoryCopy()
    copy.take([part("1", "5", event("a", "1"))])
    copy.forget()
    assert (copy.identities(), copy.frame, copy.cursor) == ([], None, None)


# The mailbox -------------------------------------------------------------------------------------


def reply(number: int, parts: int, version: int = 1) -> Json:
    return {"request_id": "r", "part": number, "parts": parts, "data": {"version": version}}


def test_an_answer_is_whole_when_all_its_parts_have_come() -> None:
    box = Mailbox("q")
    assert box.put(reply(2, 2))
    assert box.answer("r") is None
    assert box.put(reply(1, 2))
    assert [one["part"] for one in box.answer("r") or []] == [1, 2]


def test_parts_at_two_versions_are_never_mixed() -> None:
    box = Mailbox("q")
    box.put(reply(1, 2, version=1))
    box.put(reply(2, 2, version=2))
    assert box.answer("r") is None


def test_the_first_whole_answer_counts_and_what_comes_again_is_not_new() -> None:
    box = Mailbox("q")
    box.put(reply(1, 1, version=1))
    assert not box.put(reply(1, 1, version=1))
    box.put(reply(1, 1, version=2))
    assert [one["data"]["version"] for one in box.answer("r") or []] == [1]


# The wallet --------------------------------------------------------------------------------------


def debts(version: int, *bills: str) -> Json:
    rows = [{"bill_id": bill, "amount_minor": 5, "currency": "EUR"} for bill in bills]
    return {"version": version, "debts": rows}


def test_a_wallet_does_not_believe_an_older_answer() -> None:
    wallet = Wallet()
    wallet.see_debts("home", [debts(2, "b")])
    wallet.see_debts("home", [debts(1, "a", "b")])
    assert wallet.owed["home"] == [Owed("b", 5, "EUR")]


def test_only_a_failed_payment_stays_a_wish() -> None:
    wallet = Wallet()
    ask = Ask("payments", "ada", "q", "home", "key", {"bills_id": ["a"]})
    wallet.see_debts("home", [debts(1, "a", "b")])
    wallet.wishes["key"] = ask
    wallet.see_outcome(ask, {"status": "failed"})
    assert wallet.wishes == {"key": ask}
    wallet.see_outcome(ask, {"status": "done"})
    assert (wallet.wishes, wallet.paid) == ({}, [ask])
    assert wallet.owed["home"] == [Owed("b", 5, "EUR")]


def test_chosen_bills_are_few_and_of_the_wallet() -> None:
    wallet = Wallet(owed={"home": [Owed(str(n), n, "EUR") for n in range(9)]})
    chosen = [wallet.choose("home", random.Random(seed)) for seed in range(30)]
    assert {len(bills) for bills in chosen} == {1, 2, 3}
    assert wallet.choose("elsewhere", random.Random(0)) == []


# Who takes part ----------------------------------------------------------------------------------


def test_eight_clients_play_every_role() -> None:
    parts = cast_of(8)
    assert {one.role for one in parts} == {
        "owner",
        "device",
        "neighbour",
        "late",
        "mover",
        "thief",
    }
    owner, device, neighbour = parts[:3]
    assert (device.person, device.homes, device.shares_queue) == (owner.person, owner.homes, True)
    assert neighbour.person != owner.person
    assert neighbour.homes == owner.homes[:1]
    assert [one.role for one in movers(parts)] == ["mover"]


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_any_number_of_clients_can_be_cast(count: int) -> None:
    parts = cast_of(count)
    assert len({one.client for one in parts}) == count
    assert all(one.homes for one in parts)


def test_a_forged_token_names_the_victim() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "eve", "aud": "x"}).encode()).decode()
    token = forged(f"head.{claims.rstrip('=')}.signature", "ada")
    assert subject_of(token) == "ada"
    assert token.startswith("head.")
    assert token.endswith(".signature")


def test_only_unknown_and_passing_troubles_are_worth_repeating() -> None:
    statuses = (0, 202, 400, 401, 429, 500, 502)
    assert [one for one in statuses if Sent(one).is_worth_repeating] == [0, 429, 500, 502]


# The office --------------------------------------------------------------------------------------


class Connection:
    """A connection that dies so often before it answers."""

    def __init__(self, answers: list[Json | None]) -> None:
        self._answers = answers
        self.autocommit = False

    def cursor(self) -> Connection:
        return self

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, statement: str, arguments: object) -> None:
        if self._answers[0] is None:
            self._answers.pop(0)
            raise psycopg2.OperationalError

    def fetchone(self) -> tuple[Json | None]:
        return (self._answers.pop(0),)

    def close(self) -> None:
        return None


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[list[Json | None], bool], list[Json]]:
    """Reverse a payment with an office whose connections give these answers; return its events."""

    def call(answers: list[Json | None], gives_up: bool) -> list[Json]:
        recorder = Recorder(tmp_path / "history", lambda: 1.0)
        give_up = threading.Event()
        if gives_up:
            give_up.set()
        office = Office(lambda: cast(Any, Connection(answers)), recorder, give_up)
        office.reverse("payment")
        recorder.close()
        return [json.loads(line) for line in (tmp_path / "history").read_text().splitlines()]

    return call


Calls = Callable[[list[Json | None], bool], list[Json]]


def test_an_office_asks_again_until_it_knows(calls: Calls) -> None:
    answer = {"status": "rejected", "code": "payment_already_reversed"}
    [told] = calls([None, None, answer], False)
    assert (told["answer"], told["attempts"], told["unknown"]) == (answer, 3, False)


def test_an_office_that_must_give_up_says_that_it_does_not_know(calls: Calls) -> None:
    [told] = calls([None], True)
    assert (told["answer"], told["attempts"], told["unknown"]) == (None, 1, True)


# Choices -----------------------------------------------------------------------------------------


class SilentLine:
    """A correspondent who is never answered."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str | None]] = []
        self.outstanding: dict[str, Ask] = {}

    def ask(self, op: str, apartment: str, body: Json, **notes: Any) -> Ask:
        return Ask(op, "ada", "q", apartment, notes.get("key"), body)

    def send(self, ask: Ask) -> None:
        self.sent.append((ask.op, ask.apartment))

    def wait(self, wanted: object, *, seconds: float) -> None:
        return None

    def answered(self) -> list[object]:
        return []

    def log_out(self, *, keep_refresh_token: bool) -> None:
        self.sent.append(("log_out", str(keep_refresh_token)))

    @property
    def api(self) -> SilentLine:
        return self

    @property
    def recorder(self) -> SilentLine:
        return self

    def now(self) -> float:
        return 0.0


def choices(seed: str) -> list[tuple[str, str | None]]:
    """Return what a resident with this seed does in fifty steps without answers."""
    line = SilentLine()
    resident = Resident(cast(Correspondent, line), board=Board(), seed=seed, homes=["one", "two"])
    resident.wallet.owed = {"one": [Owed(str(n), n, "EUR") for n in range(9)]}
    for _ in range(50):
        resident.step()
    return line.sent


def test_the_same_seed_makes_the_same_choices() -> None:
    assert choices("7") == choices("7")
    assert choices("7") != choices("8")
    assert {op for op, _ in choices("7")} >= {"utils", "payments", "histories"}


def test_a_board_keeps_each_thing_once_and_shows_the_newer() -> None:
    board = Board()
    assert board.pick(board.payments, random.Random(0)) is None
    for number in range(100):
        board.add(board.payments, f"p{number}")
        board.add(board.payments, f"p{number}")
    assert len(board.payments) == 100
    picked = {board.pick(board.payments, random.Random(seed)) for seed in range(200)}
    assert picked <= {f"p{number}" for number in range(60, 100)}
    board.add(board.bills, SentBill("b", "home", {"amount_minor": 1}))
    assert board.pick(board.bills, random.Random(0)) == SentBill("b", "home", {"amount_minor": 1})

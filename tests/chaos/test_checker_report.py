"""What the checker reports: counterexamples, how much it has checked, and with what."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.run_builder import RunBuilder
from tools.chaos.checker import NAMES, Violation, render
from tools.chaos.checker.__main__ import main
from tools.chaos.checker.residency import ResidencySpans

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run() -> RunBuilder:
    """A run with a paid bill that is shown as debt, in the middle of other things."""
    run = RunBuilder()
    bill, other = run.bill(), run.bill()
    stale = run.debts()
    run.event("fault", name="redis_old", phase="begin", at={"saved": 3})
    run.look()
    run.pay(other, key="other")
    run.look()
    run.pay(bill, key="this")
    run.sync(final=False)
    run.look(**{**stale, "version": run.state("home")["version"]})
    return run


def i9(run: RunBuilder) -> Violation:
    """Return the violation of I9 that is about the first bill."""
    violations = run.result().violations
    [found] = [one for one in violations if one.invariant == "I9" and "bill-1" in one.text]
    return found


def test_a_counterexample_has_the_bill_its_payment_and_the_read_in_order(run: RunBuilder) -> None:
    assert [(event["e"], event.get("op")) for event in i9(run).counterexample] == [
        ("operator", None),
        ("fault", None),
        ("invoke", "payments"),
        ("accepted", None),
        ("reply", "payments"),
        ("invoke", "utils"),
        ("accepted", None),
        ("reply", "utils"),
    ]


def test_a_counterexample_has_the_faults_meanwhile(run: RunBuilder) -> None:
    payment = next(event for event in run.events if event.get("key") == "this")
    fault = {"e": "fault", "t": payment["t"] + 0.5, "name": "redis_old", "phase": "begin"}
    run.events.append({**fault, "at": {}})
    faults = [e["name"] for e in i9(run).counterexample if e["e"] == "fault"]
    assert faults == ["redis_old", "redis_old"]


def test_a_counterexample_can_be_read_in_a_terminal(run: RunBuilder) -> None:
    text = render(i9(run))
    assert text.startswith("I9 broken: bill bill-1 was paid at")
    assert "client-ada asks" in text
    assert "payments done R-payment-2" in text
    assert all(len(line) < 200 for line in text.splitlines())


def test_every_kind_of_event_has_a_line_of_its_own(run: RunBuilder) -> None:
    run.ask("utils", outcome=0)
    run.event("error", client="c", method="GET", status=502, body={"code": "upstream_error"})
    run.reverse("payment-1", attempts=2)
    text = render(Violation("I5", None, "all of it", run.events))
    assert len(text.splitlines()) == 1 + len(run.events)
    assert "operator issue bill-1 issued -> done, asked at" in text
    assert "operator reverse payment- -> done in 2 attempts" in text


def test_the_smallest_counterexample_of_many_is_chosen(run: RunBuilder) -> None:
    run.look(**run.events[-1]["reply"]["data"])
    result = run.result()
    [smallest] = [one for one in result.smallest if one.invariant == "I9"]
    every = [one for one in result.violations if one.invariant == "I9"]
    assert len(every) > 2
    assert len(smallest.counterexample) == min(len(one.counterexample) for one in every)


def test_a_key_that_was_a_requests_id_leads_to_that_request() -> None:
    run = RunBuilder()
    bill = run.bill()
    first = run.ask(bills=[bill])
    run.reply(first, run.receipt(run.book([bill], key=first)))
    run.reject("bill_already_paid", bill, key=first)
    [violation] = [one for one in run.result().violations if one.invariant == "I6"]
    kinds = [event["e"] for event in violation.counterexample if event["e"] != "operator"]
    assert kinds == ["invoke", "accepted", "reply"] * 2


def test_a_result_says_on_how_much_each_invariant_was_checked() -> None:
    run = RunBuilder()
    run.pay(run.bill())
    result = run.result()
    assert (result.facts["I1"], result.facts["I4"], result.facts["I12"]) == (1, 1, 0)
    assert result.holds(needed=["I1", "I4"])
    assert not result.holds(needed=["I1", "I12"])
    assert "I12 cache_never_stalls         checked on nothing" in str(result)


def test_an_empty_run_is_checked_on_nothing() -> None:
    run = RunBuilder()
    run.events.clear()
    run.tables = {}
    assert run.result().vacuous == list(NAMES)


def test_a_kept_run_can_be_checked_again(
    run: RunBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, run.events)), "utf-8")
    (tmp_path / "one.log").write_text("Canary-123456789012")
    secret = {"kind": "password", "value": "Canary-123456789012"}
    (tmp_path / "secrets.jsonl").write_text(json.dumps(secret))
    final = {"ledger": run.tables, "logs": ["one.log"], "secrets": "secrets.jsonl"}
    (tmp_path / "final.json").write_text(json.dumps(final))
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "I9 paid_is_no_debt            BROKEN" in said
    assert "I9 broken: bill bill-2 was paid" in said
    assert "I11 broken: log one.log has a password" in said


def test_the_checker_has_the_names_of_the_invariants() -> None:
    invariants = json.loads((ROOT / "terraform" / "invariants.json").read_text())
    assert {key: invariant["name"] for key, invariant in invariants.items()} == NAMES


def test_the_checker_imports_python_and_itself_alone() -> None:
    for file in (ROOT / "tools" / "chaos" / "checker").glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        names += [str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        for name in names:
            own = name.startswith("tools.chaos.checker")
            assert own or name.split(".")[0] in sys.stdlib_module_names, f"{file.name}: {name}"


# Who lived where, as far as calls with an unknown outcome tell ------------------------------------


def call(action: str, begin: float, end: float, code: str = "", since: Any = "2020") -> Any:
    """Return an operator's call; with a code it was repeated and found done already."""
    answer = {"status": "rejected", "code": code} if code else {"status": "done", "data": {}}
    args = {"user": "u", "apartment": "a", "since": since}
    attempts = 2 if code else 1
    told = {"t0": begin, "t": end, "args": args, "answer": answer, "attempts": attempts}
    return {"e": "operator", "action": action, **told}


def test_an_end_also_ends_a_grant_that_was_made_twice() -> None:
    repeated = call("grant", 3, 5, "residency_exists")
    stays = ResidencySpans([call("grant", 1, 2), repeated, call("end", 7, 8)])
    assert stays.is_certain("u", "a", 2, 7)
    assert not stays.is_certain("u", "a", 8, 9)
    assert stays.possible("u", "a", 9, 10) == []


def test_a_repeated_grant_during_a_stay_begins_no_other() -> None:
    calls = [call("grant", 1, 2, since=None), call("grant", 3, 5, "residency_exists")]
    stays = ResidencySpans(calls, clock_steps=[7.0])
    assert stays.is_certain("u", "a", 2, 7)
    assert not stays.is_certain("u", "a", 5, 8)


def test_a_grant_whose_first_attempt_got_lost_begins_a_stay() -> None:
    stays = ResidencySpans([call("grant", 3, 5, "residency_exists")])
    assert stays.is_certain("u", "a", 5, 9)
    assert not stays.is_certain("u", "a", 4, 9)

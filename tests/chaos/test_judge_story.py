"""What the judge tells: the story of what broke, how much it has looked at, and with what."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from tests.support.tales import Tale
from tools.chaos.judge import CHECKS, NAMES, Violation, judge, render
from tools.chaos.judge.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def stale_read() -> Tale:
    """Return a tale of a paid bill that is shown as debt, in the middle of other things."""
    tale = Tale()
    bill, other = tale.bill(), tale.bill()
    stale = tale.debts_data()
    tale.tell("fault", name="redis_old", phase="begin", at={"saved": 3})
    tale.look()
    tale.pay(other, key="other")
    tale.look()
    tale.pay(bill, key="this")
    tale.sync(final=False)
    tale.look(**{**stale, "version": tale.state("home")["version"]})
    return tale


def i9(tale: Tale) -> Violation:
    """Return the violation of I9 that is about the first bill."""
    found = [v for v in tale.verdict().violations if v.invariant == "I9" and "bill-1" in v.text]
    assert len(found) == 1
    return found[0]


def test_a_story_has_the_bill_its_payment_and_the_read_in_order_of_time() -> None:
    told = [(event["e"], event.get("op")) for event in i9(stale_read()).story]
    assert told == [
        ("office", None),
        ("fault", None),
        ("invoke", "payments"),
        ("accepted", None),
        ("reply", "payments"),
        ("invoke", "utils"),
        ("accepted", None),
        ("reply", "utils"),
    ]


def test_a_story_has_the_faults_meanwhile() -> None:
    tale = stale_read()
    payment = next(i for i, e in enumerate(tale.events) if e.get("key") == "this")
    fault = {"e": "fault", "t": tale.events[payment]["t"] + 0.5, "name": "redis_old"}
    tale.events.append({**fault, "phase": "begin", "at": {}})
    assert [e["name"] for e in i9(tale).story if e["e"] == "fault"] == ["redis_old", "redis_old"]


def test_a_story_can_be_read_in_a_terminal() -> None:
    text = render(i9(stale_read()))
    lines = text.splitlines()
    assert lines[0].startswith("I9 broken: bill bill-1 was paid at")
    assert "client-ada asks" in text
    assert "payments done R-payment-2" in text
    assert all(len(line) < 200 for line in lines)


def test_every_kind_of_event_can_be_told() -> None:
    tale = stale_read()
    tale.ask("utils", outcome=0)
    tale.tell("error", client="c", method="GET", status=502, body={"code": "upstream_error"})
    text = render(Violation("I5", None, "all of it", tale.events))
    assert len(text.splitlines()) == 1 + len(tale.events)


def test_a_verdict_says_on_how_much_each_promise_was_judged() -> None:
    tale = Tale()
    tale.pay(tale.bill())
    verdict = tale.verdict()
    assert (verdict.facts["I1"], verdict.facts["I4"], verdict.facts["I12"]) == (1, 1, 0)
    assert "I12" in verdict.vacuous
    assert verdict.holds(needed=["I1", "I4"])
    assert not verdict.holds(needed=["I1", "I12"])
    assert "I12 cache_never_stalls         judged on nothing" in str(verdict)


def test_a_run_in_which_nothing_happened_is_judged_on_nothing() -> None:
    tale = Tale()
    tale.events.clear()
    tale.tables = {}
    assert sorted(tale.verdict().vacuous) == sorted(NAMES)


def test_a_broken_promise_shows_in_the_table() -> None:
    verdict = stale_read().verdict()
    assert not verdict.holds()
    assert "I9 paid_is_no_debt" in str(verdict)
    assert "BROKEN" in str(verdict)


def written(tale: Tale, folder: Path) -> Path:
    """Write a tale as a run leaves it, with a password in a log."""
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, tale.events)), "utf-8")
    (folder / "one.log").write_text("Canary-123456789012")
    secret = {"kind": "password", "value": "Canary-123456789012"}
    (folder / "secrets.jsonl").write_text(json.dumps(secret))
    evidence = {"books": tale.tables, "logs": ["one.log"], "secrets": "secrets.jsonl"}
    (folder / "final.json").write_text(json.dumps(evidence))
    return folder


def test_the_judge_reads_what_the_world_writes(tmp_path: Path) -> None:
    run = written(stale_read(), tmp_path)
    found = judge(run / "history.jsonl", run / "final.json")
    assert {violation.invariant for violation in found} == {"I9", "I11"}


def test_a_run_can_be_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(written(stale_read(), tmp_path))]) == 1
    told = capsys.readouterr().out
    assert "I9 broken: bill bill-2 was paid" in told
    assert "I1 bill_paid_once" in told


def test_the_smallest_story_is_told_of_many() -> None:
    tale = stale_read()
    stale = tale.events[-1]["reply"]["data"]
    tale.look(**stale)
    verdict = tale.verdict()
    [smallest] = [one for one in verdict.smallest if one.invariant == "I9"]
    all_of_it = [one for one in verdict.violations if one.invariant == "I9"]
    assert len(all_of_it) > 2
    assert len(smallest.story) == min(len(one.story) for one in all_of_it)


def test_a_key_that_was_a_requests_id_leads_to_that_request() -> None:
    tale = Tale()
    bill = tale.bill()
    first = tale.ask(bills=[bill])
    payment = tale.book([bill], key=first)
    tale.reply(first, tale.receipt(payment))
    tale.reject("bill_already_paid", bill, key=first)
    [violation] = [one for one in tale.verdict().violations if one.invariant == "I6"]
    told = [event["e"] for event in violation.story if event["e"] != "office"]
    assert told == ["invoke", "accepted", "reply"] * 2


def test_the_office_is_told_in_a_line() -> None:
    tale = Tale()
    tale.reverse(tale.pay(tale.bill()), attempts=2)
    text = render(Violation("I9", None, "", tale.events))
    assert "office issue bill-1 issued -> done, asked at" in text
    assert "office reverse payment- -> done in 2 attempts" in text


def test_the_names_are_those_of_the_promises() -> None:
    promises = json.loads((ROOT / "terraform" / "invariants.json").read_text())
    assert {key: promise["name"] for key, promise in promises.items()} == NAMES
    assert list(CHECKS) == list(NAMES)
    for key, check in CHECKS.items():
        assert check.__name__ == NAMES[key]


def test_the_judge_imports_python_and_itself_alone() -> None:
    for file in (ROOT / "tools" / "chaos" / "judge").glob("*.py"):
        for module in imported(ast.parse(file.read_text("utf-8"))):
            own = module.startswith("tools.chaos.judge")
            assert own or module.split(".")[0] in sys.stdlib_module_names, f"{file.name}: {module}"


def imported(tree: ast.Module) -> list[str]:
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return names + [str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]

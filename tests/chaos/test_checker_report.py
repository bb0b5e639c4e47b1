"""What the checker reports: counterexamples, how much it has checked, and with what."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.chaos.eventful_run import NAME, PASSWORD, RECEIPT, TOKEN, eventful_run
from tests.chaos.run_builder import RunBuilder
from tools.chaos.checker import NAMES, Violation, render
from tools.chaos.checker.__main__ import main

SHORT = "s3cret"
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
    run.look(**{**stale, "version": run.state()["version"]})
    return run


def i9(run: RunBuilder) -> Violation:
    """Return the violation of I9 that is about the first bill."""
    violations = run.result().violations
    [found] = [one for one in violations if one.invariant == "I9" and "bill-1" in one.text]
    return found


def test_a_counterexample_has_the_bill_its_payment_the_read_and_the_faults(run: RunBuilder) -> None:
    fault = {"name": "redis_flushed", "phase": "begin", "at": {}}
    run.events.append({"e": "fault", "t": run.sent["request-4"]["t"] + 0.5, **fault})
    assert [(event["e"], event.get("op")) for event in i9(run).counterexample] == [
        ("operator", None),
        ("fault", None),
        ("invoke", "payments"),
        ("fault", None),
        ("accepted", None),
        ("reply", "payments"),
        ("invoke", "utils"),
        ("accepted", None),
        ("reply", "utils"),
    ]


def test_a_counterexample_can_be_read_in_a_terminal(run: RunBuilder) -> None:
    text = render(i9(run))
    assert text.startswith("I9 broken: bill bill-1 is a debt in a read, where it is paid")
    assert all(word in text for word in ("client-ada", "redis_old", "R-payment-2", "issue"))
    assert len(text.splitlines()) == 1 + len(i9(run).counterexample)
    assert all(len(line) < 200 for line in text.splitlines())


def test_the_smallest_counterexample_of_many_is_chosen(run: RunBuilder) -> None:
    run.look(**run.events[-1]["reply"]["data"])
    result = run.result()
    [smallest] = [one for one in result.smallest if one.invariant == "I9"]
    every = [one for one in result.violations if one.invariant == "I9"]
    assert len(every) > 2
    assert len(smallest.counterexample) == min(len(one.counterexample) for one in every)


def test_a_key_that_was_a_requests_id_leads_to_that_request() -> None:
    run = RunBuilder()
    run.pay(run.bill("gas"), key=None, name="first")
    run.reject("bill_already_paid", "gas", key="first")
    [violation] = [one for one in run.result().violations if one.invariant == "I6"]
    kinds = [event["e"] for event in violation.counterexample if event["e"] != "operator"]
    assert kinds == ["invoke", "accepted", "reply"] * 2


def in_the_middle(text: str) -> str:
    """Write what stands in the middle of a text as base64."""
    return b64encode(f"before {text} after".encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        *(PASSWORD, quote(PASSWORD), PASSWORD.upper(), PASSWORD[:20], in_the_middle(PASSWORD)),
        *(NAME, *NAME.split(" "), json.dumps(NAME), quote(NAME), NAME.encode().hex()),
        *(TOKEN, TOKEN.split(".")[1], TOKEN[:40], TOKEN[-25:], in_the_middle(TOKEN[20:])),
        *(RECEIPT, quote(RECEIPT, safe=""), SHORT, f"'{SHORT.upper()}'"),
    ],
)
def test_a_secret_is_found_however_a_log_writes_it_and_is_not_repeated(written: str) -> None:
    run = eventful_run()
    run.secrets.append({"kind": "password", "value": SHORT})
    run.logs["gateway.log"] = f"GET /auth?x={written}&y=1\n"
    [violation] = run.result().violations
    assert violation.invariant == "I11"
    assert "gateway.log" in violation.text
    assert written not in violation.text


def test_a_short_secret_is_no_part_of_a_longer_word() -> None:
    run = eventful_run()
    run.secrets.append({"kind": "password", "value": SHORT})
    run.logs["gateway.log"] = f"not{SHORT}ly"
    assert run.broken() == set()


def test_a_result_says_on_how_much_each_invariant_was_checked() -> None:
    run = RunBuilder()
    run.pay(run.bill())
    for struck in (0, 2):
        at = {"variant": "old", "struck": struck}
        run.event("fault", name="redis_lying", phase="end", at=at)
    result = run.result()
    assert result.strikes == {"redis_lying old": [0, 2]}
    assert (result.facts["I1"], result.facts["I4"], result.facts["I12"]) == (1, 1, 0)
    assert "I12 cache_never_stalls         checked on nothing" in str(result)
    run.events.clear()
    run.tables.clear()
    assert run.result().vacuous == list(NAMES)


def test_a_kept_run_can_be_checked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = eventful_run()
    run.look(**run.data("first look"))
    files = {
        "history.jsonl": "\n".join(map(json.dumps, run.events)),
        "one.log": PASSWORD,
        "secrets.jsonl": "\n".join(map(json.dumps, run.secrets)),
        "final.json": json.dumps(
            {"ledger": run.tables, "logs": ["one.log"], "secrets": "secrets.jsonl", **run.final}
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "I9 paid_is_no_debt            BROKEN" in said
    assert "I9 broken: a read shows version 10" in said
    assert "I11 broken: log one.log has a password" in said


def test_the_checker_has_the_names_of_the_invariants() -> None:
    invariants = json.loads((ROOT / "terraform" / "invariants.json").read_text())
    assert {key: invariant["name"] for key, invariant in invariants.items()} == NAMES

"""Percentiles, errors and the files that the command reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.load.errors import LoadError
from tools.load.ledger import LedgerCheck
from tools.load.recording import DONE, TIMEOUT, Accepted, Recording, Sample
from tools.load.report import latency, summarize
from tools.load.target import running_service


def test_percentiles_are_those_of_the_values() -> None:
    found = latency(number / 1000 for number in range(1, 1001))
    assert found == {"count": 1000, "p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000}
    assert latency([0.002])["p50"] == latency([0.002])["max"] == 2.0
    assert latency([])["p99"] is None


def test_a_timeout_counts_as_slow_and_a_rejection_not_as_quick() -> None:
    recording = Recording(lambda: 0.0)
    recording.add(Sample("debts", 0.0, 0.0, 0.1, 0.2, DONE))
    recording.add(Sample("debts", 1.0, 1.0, 16.0, 31.0, TIMEOUT))
    recording.add(Sample("debts", 2.0, 2.0, None, 2.001, "too_many_requests"))
    report = summarize(recording, seconds=40.0)
    debts = report["operations"]["debts"]
    assert debts["errors"] == {TIMEOUT: 1, "too_many_requests": 1}
    assert (debts["answered_ms"]["count"], debts["answered_ms"]["max"]) == (2, 30_000)
    assert (debts["accepted_ms"]["count"], debts["accepted_ms"]["max"]) == (2, 15_000)
    assert (debts["count"], report["throughput"]) == (3, 0.025)


def test_a_request_is_answered_when_all_parts_came() -> None:
    recording = Recording(lambda: 0.0)
    recording.add_accepted("r1", Accepted("/v1/replies/q", 0))
    recording.add_reply({"request_id": "r1", "part": 1, "parts": 2})
    assert recording.unanswered.keys() == {"r1"}
    recording.add_reply({"request_id": "r1", "part": 2, "parts": 2})
    assert recording.unanswered == {}


@pytest.mark.parametrize(
    "found",
    [
        {"unanswered": ["r1"]},
        {"wrong_receipts": ["b1"]},
        {"violations": ["bill_paid_twice"]},
    ],
    ids=lambda found: next(iter(found)),
)
def test_the_ledger_check_fails_for_each_kind_of_loss(found: dict[str, object]) -> None:
    check = LedgerCheck(accepted=1, unanswered=[], receipts=1)
    assert check.holds
    assert not LedgerCheck(**{**check.__dict__, **found}).holds


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"residents": []}', '{"residents": [{}]}'])
def test_invalid_credentials_are_rejected(tmp_path: Path, text: str) -> None:
    file = tmp_path / "residents.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LoadError):
        running_service("http://127.0.0.1:9", file)

"""api.issue_bills: corrections, dry runs, chunks; and what taking back needs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.ledger import Answer, Home, Ledger, line, query

Result = tuple[str, str | None]


def one_bill(home: Home, **fields: Any) -> Answer:
    """Return the line of one and the same bill of this home."""
    return line(home, provider_reference=str(home.apartment), **fields)


def results(answer: Answer) -> list[Result]:
    return [(row["result"], row["code"]) for row in answer["data"]["lines"]]


def ids(answer: Answer) -> list[str | None]:
    return [row["bill_id"] for row in answer["data"]["lines"]]


def amounts(ledger: Ledger, home: Home) -> list[int]:
    return sorted(debt["amount_minor"] for debt in ledger.debts(home)["debts"])


@pytest.mark.parametrize(
    "correction",
    [
        {"amount_minor": 1},
        {"currency": "USD"},
        {"due_on": "2026-12-01"},
        {"period_from": "2026-09-30"},
        {"period_to": "2026-11-01"},
        {"utility": "water"},
    ],
    ids=lambda correction: next(iter(correction)),
)
def test_a_correction_replaces_an_open_bill(
    ledger: Ledger, home: Home, correction: dict[str, Any]
) -> None:
    first = ledger.bill(home, provider_reference=str(home.apartment))
    answer = ledger.issue([one_bill(home, **correction)])
    assert results(answer) == [("revised", None)]
    assert ledger.open_bills(home) == set(ids(answer))
    assert ledger.pay(home, [first])["code"] == "bill_void"


def test_a_dry_run_returns_the_same_and_changes_nothing(ledger: Ledger, home: Home) -> None:
    open_ = ledger.bill(home, provider_reference=str(home.apartment), amount_minor=1)
    imports, owner = "SELECT count(*) FROM billing.imports", ledger.connection("owner")
    before = ledger.debts(home), query(owner, imports)
    new = line(home)
    batch = [one_bill(home, amount_minor=2), new, new, line(home)]
    dry = ledger.issue(batch, dry_run=True)
    assert (ledger.debts(home), query(owner, imports)) == before
    assert ids(dry) == [None] * 4
    assert results(dry) == results(ledger.issue(batch))
    assert open_ not in ledger.open_bills(home)


def test_chunks_share_an_import_id_but_two_files_may_not(ledger: Ledger, home: Home) -> None:
    import_id = uuid4()
    answers = [
        ledger.issue([line(home, amount_minor=amount)], import_id=import_id, sha256=file * 64)
        for amount, file in ((1, "a"), (2, "a"), (3, "b"))
    ]
    assert [results(answer) for answer in answers[:2]] == [[("issued", None)]] * 2
    assert (answers[2]["status"], answers[2]["code"]) == ("rejected", "import_id_reused")
    assert amounts(ledger, home) == [1, 2]


def test_an_import_without_lines_is_done(ledger: Ledger) -> None:
    assert ledger.issue([])["data"] == {"lines": []}


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_reversal_and_a_void_need_a_reason(ledger: Ledger, home: Home, reason: str) -> None:
    paid, open_ = ledger.bills(home, 100, 200)
    payment = ledger.pay(home, [paid])["data"]["payment_id"]
    assert ledger.reverse(payment, reason)["code"] == "reason_required"
    assert ledger.void(open_, reason)["code"] == "reason_required"
    assert ledger.open_bills(home) == {open_}

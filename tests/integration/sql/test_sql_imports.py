"""api.issue_bills: new bills, corrections, repetitions and rejected lines."""

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


def test_issued_bills_are_owed(ledger: Ledger, home: Home) -> None:
    answer = ledger.issue([line(home, amount_minor=1, line=2), line(home, amount_minor=2, line=3)])
    assert results(answer) == [("issued", None)] * 2
    assert [row["line"] for row in answer["data"]["lines"]] == [2, 3]
    assert set(ids(answer)) == ledger.open_bills(home)


def test_a_chunk_moves_the_version_of_each_apartment_by_one(ledger: Ledger, home: Home) -> None:
    homes = other, _, _ = ledger.home(), home, ledger.home()
    before = [ledger.version(one) for one in homes]
    ledger.issue([line(home), line(other), line(home)])
    after = [ledger.version(one) for one in homes]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1, 0]


@pytest.mark.parametrize("paid", [False, True])
def test_the_same_bill_again_adds_nothing(ledger: Ledger, home: Home, paid: bool) -> None:
    bills = [line(home), line(home)]
    first = ledger.issue(bills)
    if paid:
        ledger.pay(home, list(ledger.open_bills(home)))
    before = ledger.debts(home)
    again = ledger.issue(bills)
    assert results(again) == [("already_present", None)] * 2
    assert ids(again) == ids(first)
    assert ledger.debts(home) == before


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


@pytest.mark.parametrize(
    ("reversed_", "result", "owed"),
    [(False, ("rejected", "bill_already_paid"), []), (True, ("revised", None), [1])],
)
def test_a_correction_of_a_paid_bill_is_rejected_unless_the_payment_was_reversed(
    ledger: Ledger, home: Home, reversed_: bool, result: Result, owed: list[int]
) -> None:
    payment = ledger.pay(home, [ledger.bill(home, provider_reference=str(home.apartment))])
    if reversed_:
        ledger.reverse(payment["data"]["payment_id"])
    answer = ledger.issue([one_bill(home, amount_minor=1)])
    assert results(answer) == [result]
    assert amounts(ledger, home) == owed


def test_a_correction_reopens_a_void_bill(ledger: Ledger, home: Home) -> None:
    ledger.void(ledger.bill(home, provider_reference=str(home.apartment)))
    same = ledger.issue([one_bill(home)])
    other = ledger.issue([one_bill(home, amount_minor=1)])
    assert results(same) + results(other) == [("already_present", None), ("revised", None)]
    assert amounts(ledger, home) == [1]


@pytest.mark.parametrize(
    ("file", "result", "owed"),
    [("1", ("already_present", None), [2]), ("3", ("revised", None), [1])],
    ids=["the old file", "a new file"],
)
def test_the_old_amount_is_a_correction_only_in_a_new_file(
    ledger: Ledger, home: Home, file: str, result: Result, owed: list[int]
) -> None:
    old, corrected = (one_bill(home, amount_minor=n) for n in (1, 2))
    ledger.issue([old], sha256="1" * 64)
    ledger.issue([corrected], sha256="2" * 64)
    assert results(ledger.issue([old], sha256=file * 64)) == [result]
    assert amounts(ledger, home) == owed


def test_a_reference_belongs_to_an_apartment_and_a_provider(ledger: Ledger, home: Home) -> None:
    ledger.bill(ledger.home(), provider_reference=str(home.apartment))
    southgas = ledger.provider("southgas", "South Gas")
    answer = ledger.issue([one_bill(home), one_bill(home, provider_id=southgas)])
    assert results(answer) == [("rejected", "reference_of_other_apartment"), ("issued", None)]
    assert ids(answer)[0] is None


def test_lines_with_missing_references_are_rejected_alone(ledger: Ledger, home: Home) -> None:
    unknown = line(Home(home.subject, uuid4()))
    others = line(home, provider_id="nobody"), line(home, utility="coal")
    answer = ledger.issue([unknown, *others, line(home, amount_minor=7)])
    assert results(answer) == [
        ("rejected", "apartment_not_found"),
        ("rejected", "provider_not_found"),
        ("rejected", "utility_not_found"),
        ("issued", None),
    ]
    assert amounts(ledger, home) == [7]


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


def test_a_dry_run_names_the_bills_that_exist(ledger: Ledger, home: Home) -> None:
    present = [line(home)]
    assert ids(ledger.issue(present)) == ids(ledger.issue(present, dry_run=True))


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

"""api.issue_bills: new bills, corrections, repetitions and rejected lines."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.ledger import Answer, Home, Ledger, line, query


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


@pytest.fixture
def reference() -> str:
    return str(uuid4())


def results(answer: Answer) -> list[tuple[str, str | None]]:
    return [(row["result"], row["code"]) for row in answer["data"]["lines"]]


def amounts(ledger: Ledger, home: Home) -> list[int]:
    return sorted(debt["amount_minor"] for debt in ledger.debts(home)["debts"])


def test_issued_bills_are_owed(ledger: Ledger, home: Home) -> None:
    answer = ledger.issue([line(home, amount_minor=1, line=2), line(home, amount_minor=2, line=3)])
    assert results(answer) == [("issued", None)] * 2
    assert [row["line"] for row in answer["data"]["lines"]] == [2, 3]
    assert {row["bill_id"] for row in answer["data"]["lines"]} == ledger.open_bills(home)


def test_a_chunk_moves_the_version_of_each_apartment_by_one(ledger: Ledger, home: Home) -> None:
    other, untouched = ledger.home(), ledger.home()
    before = [ledger.version(place) for place in (home, other, untouched)]
    ledger.issue([line(home), line(other), line(home)])
    after = [ledger.version(place) for place in (home, other, untouched)]
    assert after == [before[0] + 1, before[1] + 1, before[2]]


def test_the_same_bill_again_adds_nothing(ledger: Ledger, home: Home) -> None:
    bills = [line(home), line(home)]
    first = ledger.issue(bills)
    before = ledger.debts(home)
    again = ledger.issue(bills)
    assert results(again) == [("already_present", None)] * 2
    assert [row["bill_id"] for row in again["data"]["lines"]] == [
        row["bill_id"] for row in first["data"]["lines"]
    ]
    assert ledger.debts(home) == before


def test_a_paid_bill_again_adds_nothing(ledger: Ledger, home: Home) -> None:
    bill = line(home)
    ledger.issue([bill])
    ledger.pay(home, list(ledger.open_bills(home)))
    assert results(ledger.issue([bill])) == [("already_present", None)]
    assert ledger.open_bills(home) == set()


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
    ledger: Ledger, home: Home, reference: str, correction: dict[str, Any]
) -> None:
    first = ledger.bill(home, provider_reference=reference)
    answer = ledger.issue([line(home, provider_reference=reference, **correction)])
    assert results(answer) == [("revised", None)]
    assert ledger.open_bills(home) == {answer["data"]["lines"][0]["bill_id"]}
    assert ledger.pay(home, [first])["code"] == "bill_void"


def test_a_correction_of_a_paid_bill_is_rejected(
    ledger: Ledger, home: Home, reference: str
) -> None:
    bill = ledger.bill(home, provider_reference=reference)
    ledger.pay(home, [bill])
    answer = ledger.issue([line(home, provider_reference=reference, amount_minor=1)])
    assert results(answer) == [("rejected", "bill_already_paid")]
    assert ledger.open_bills(home) == set()


def test_a_correction_of_a_bill_whose_payment_was_reversed_replaces_it(
    ledger: Ledger, home: Home, reference: str
) -> None:
    bill = ledger.bill(home, provider_reference=reference)
    ledger.reverse(ledger.pay(home, [bill])["data"]["payment_id"])
    answer = ledger.issue([line(home, provider_reference=reference, amount_minor=1)])
    assert results(answer) == [("revised", None)]
    assert amounts(ledger, home) == [1]


def test_a_correction_brings_a_void_bill_back(ledger: Ledger, home: Home, reference: str) -> None:
    ledger.void(ledger.bill(home, provider_reference=reference))
    same = ledger.issue([line(home, provider_reference=reference)])
    other = ledger.issue([line(home, provider_reference=reference, amount_minor=1)])
    assert results(same) + results(other) == [("already_present", None), ("revised", None)]
    assert amounts(ledger, home) == [1]


def test_an_old_file_again_does_not_undo_its_correction(
    ledger: Ledger, home: Home, reference: str
) -> None:
    old = line(home, provider_reference=reference, amount_minor=1)
    ledger.issue([old], sha256="1" * 64)
    ledger.issue([line(home, provider_reference=reference, amount_minor=2)], sha256="2" * 64)
    assert results(ledger.issue([old], sha256="1" * 64)) == [("already_present", None)]
    assert amounts(ledger, home) == [2]


def test_the_old_amount_in_a_new_file_is_a_correction(
    ledger: Ledger, home: Home, reference: str
) -> None:
    for amount in (1, 2, 1):
        ledger.issue([line(home, provider_reference=reference, amount_minor=amount)])
    assert amounts(ledger, home) == [1]


def test_a_reference_of_another_apartment_is_rejected(
    ledger: Ledger, home: Home, reference: str
) -> None:
    other = ledger.home()
    ledger.bill(other, provider_reference=reference)
    answer = ledger.issue([line(home, provider_reference=reference)])
    assert results(answer) == [("rejected", "reference_of_other_apartment")]
    assert answer["data"]["lines"][0]["bill_id"] is None


def test_two_providers_may_use_the_same_reference(
    ledger: Ledger, home: Home, reference: str
) -> None:
    ledger.provider("southgas", "South Gas")
    answer = ledger.issue(
        line(home, provider_id=provider, provider_reference=reference)
        for provider in ("northgas", "southgas")
    )
    assert results(answer) == [("issued", None)] * 2


def test_lines_that_name_unknown_things_are_rejected_alone(ledger: Ledger, home: Home) -> None:
    answer = ledger.issue(
        [
            line(Home(home.subject, uuid4())),
            line(home, provider_id="nobody"),
            line(home, utility="coal"),
            line(home, amount_minor=7),
        ]
    )
    assert results(answer) == [
        ("rejected", "apartment_not_found"),
        ("rejected", "provider_not_found"),
        ("rejected", "utility_not_found"),
        ("issued", None),
    ]
    assert amounts(ledger, home) == [7]


def test_a_dry_run_answers_the_same_and_changes_nothing(
    ledger: Ledger, home: Home, reference: str
) -> None:
    open_ = ledger.bill(home, provider_reference=reference, amount_minor=1)
    before, imports = ledger.debts(home), "SELECT count(*) FROM billing.imports"
    counted = query(ledger.connection("owner"), imports)
    new = line(home)
    batch = [line(home, provider_reference=reference, amount_minor=2), new, new, line(home)]
    dry = ledger.issue(batch, dry_run=True)
    assert ledger.debts(home) == before
    assert query(ledger.connection("owner"), imports) == counted
    assert [row["bill_id"] for row in dry["data"]["lines"]] == [None] * 4
    real = ledger.issue(batch)
    assert results(dry) == results(real)
    assert open_ not in ledger.open_bills(home)


def test_a_dry_run_names_the_bills_that_are_there(ledger: Ledger, home: Home) -> None:
    present = line(home)
    bill = ledger.issue([present])["data"]["lines"][0]["bill_id"]
    assert ledger.issue([present], dry_run=True)["data"]["lines"][0]["bill_id"] == bill


def test_chunks_of_one_file_share_an_import(ledger: Ledger, home: Home) -> None:
    import_id = uuid4()
    for amount in (1, 2):
        answer = ledger.issue(
            [line(home, amount_minor=amount)], import_id=import_id, sha256="a" * 64
        )
        assert results(answer) == [("issued", None)]
    assert amounts(ledger, home) == [1, 2]


def test_an_import_id_of_another_file_is_rejected(ledger: Ledger, home: Home) -> None:
    import_id = uuid4()
    ledger.issue([line(home, amount_minor=1)], import_id=import_id, sha256="a" * 64)
    answer = ledger.issue([line(home)], import_id=import_id, sha256="b" * 64)
    assert (answer["status"], answer["code"]) == ("rejected", "import_id_reused")
    assert amounts(ledger, home) == [1]


def test_an_import_without_lines_is_done(ledger: Ledger) -> None:
    assert ledger.issue([])["data"] == {"lines": []}

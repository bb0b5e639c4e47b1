"""api.pay: what it makes, what it rejects and in which order, and what it answers again."""

import re
from uuid import uuid4

import pytest

from tests.support.ledger import Home, Ledger, query


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


def test_a_payment_settles_the_chosen_bills_and_leaves_the_others_owed(
    ledger: Ledger, home: Home
) -> None:
    chosen, left = ledger.bills(home, 5140, 300)
    answer = ledger.pay(home, [chosen])
    data = answer["data"]
    assert answer["status"] == "done"
    assert (data["status"], data["total_minor"], data["currency"]) == ("settled", 5140, "EUR")
    assert data["lines"] == [
        {
            "bill_id": chosen,
            "utility": "gas",
            "provider": {"provider_id": "northgas", "name": "North Gas"},
            "period": {"from": "2026-10-01", "to": "2026-10-31"},
            "amount_minor": 5140,
        }
    ]
    assert ledger.open_bills(home) == {left}


def test_a_receipt_number_names_the_year_and_is_never_given_twice(
    ledger: Ledger, home: Home
) -> None:
    receipts = [
        ledger.pay(home, [bill])["data"]["receipt_number"] for bill in ledger.bills(home, 1, 2)
    ]
    assert all(re.fullmatch(r"R-20\d\d-\d{10}", receipt) for receipt in receipts)
    assert len(set(receipts)) == 2


def test_a_payment_moves_the_version_by_one(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, 100, 200)
    before = ledger.version(home)
    ledger.pay(home, bills)
    assert ledger.version(home) == before + 1


def test_order_and_repetition_of_bills_mean_nothing(ledger: Ledger, home: Home) -> None:
    first, second = ledger.bills(home, 100, 200)
    answer = ledger.pay(home, [second, first, second], key="k")
    assert answer["data"]["total_minor"] == 300
    assert ledger.pay(home, [first, second], key="k") == answer


def test_a_repeated_key_is_answered_as_the_first_time(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, 100)
    answer = ledger.pay(home, bills, key="k")
    ledger.reverse(answer["data"]["payment_id"])
    ledger.provider(name="Another Name")
    assert ledger.pay(home, bills, key="k") == answer
    assert ledger.open_bills(home) == set(bills)


def test_a_stored_rejection_is_answered_again_though_the_reason_is_gone(
    ledger: Ledger, home: Home
) -> None:
    (bill,) = ledger.bills(home, 100)
    payment = ledger.pay(home, [bill])["data"]["payment_id"]
    rejection = ledger.pay(home, [bill], key="k")
    ledger.reverse(payment)
    assert rejection["code"] == "bill_already_paid"
    assert ledger.pay(home, [bill], key="k") == rejection


@pytest.mark.parametrize("change", ["bills", "total", "apartment"])
def test_a_key_used_for_something_else_is_rejected(ledger: Ledger, home: Home, change: str) -> None:
    first, second = ledger.bills(home, 100, 100)
    elsewhere = Home(home.subject, ledger.apartment())
    ledger.grant(elsewhere.subject, elsewhere.apartment)
    done = ledger.pay(home, [first], key="k")
    again = {
        "bills": lambda: ledger.pay(home, [second], key="k"),
        "total": lambda: ledger.pay(home, [first], key="k", total=100),
        "apartment": lambda: ledger.pay(elsewhere, [first], key="k"),
    }[change]()
    assert again["code"] == "idempotency_key_reused"
    assert ledger.pay(home, [first], key="k") == done


def test_two_residents_may_use_the_same_key(ledger: Ledger, home: Home) -> None:
    other = ledger.home()
    mine, theirs = ledger.bill(home), ledger.bill(other)
    assert ledger.pay(home, [mine], key="k")["data"]["lines"][0]["bill_id"] == mine
    assert ledger.pay(other, [theirs], key="k")["data"]["lines"][0]["bill_id"] == theirs


def test_a_subject_who_is_no_resident_is_rejected_and_nothing_is_stored(
    ledger: Ledger, home: Home
) -> None:
    stranger = Home(uuid4(), home.apartment)
    answer = ledger.pay(stranger, ledger.bills(home, 100), key="stranger's")
    assert answer["code"] == "apartment_not_found"
    kept = "SELECT * FROM billing.payment_requests WHERE request_key = %s"
    assert query(ledger.connection("owner"), kept, "stranger's") == []


def test_apartments_of_others_unknown_former_and_future_ones_read_alike(
    ledger: Ledger, home: Home
) -> None:
    former, future = ledger.apartment(), ledger.apartment()
    ledger.grant(home.subject, former)
    ledger.ask("operator", "end_residency", home.subject, former)
    ledger.grant(home.subject, future, since="2999-01-01T00:00:00Z")
    rejected = [
        ledger.pay(Home(home.subject, apartment), [uuid4()])
        for apartment in (ledger.home().apartment, uuid4(), former, future)
    ]
    assert [answer["code"] for answer in rejected] == ["apartment_not_found"] * 4
    assert all(answer == rejected[0] for answer in rejected)


def test_foreign_and_unknown_bills_are_not_found(ledger: Ledger, home: Home) -> None:
    foreign, unknown = ledger.bill(ledger.home()), str(uuid4())
    answer = ledger.pay(home, [foreign, unknown, ledger.bill(home)])
    assert answer["code"] == "bill_not_found"
    assert answer["data"] == {"bills": sorted([foreign, unknown])}


def test_a_foreign_bill_alone_is_not_found_either(ledger: Ledger, home: Home) -> None:
    """As many open bills are found as were asked for, only not in this apartment."""
    neighbour = ledger.home()
    foreign = ledger.bill(neighbour)
    answer = ledger.pay(home, [foreign])
    assert (answer["code"], answer["data"]) == ("bill_not_found", {"bills": [foreign]})
    assert ledger.open_bills(neighbour) == {foreign}


def test_void_and_replaced_bills_are_void(ledger: Ledger, home: Home) -> None:
    void, replaced = ledger.bill(home), ledger.bill(home, provider_reference="B", amount_minor=5)
    ledger.void(void)
    ledger.bill(home, provider_reference="B", amount_minor=6)
    answer = ledger.pay(home, [void, replaced])
    assert (answer["code"], answer["data"]) == ("bill_void", {"bills": sorted([void, replaced])})


def test_the_first_rejection_that_applies_is_given(ledger: Ledger, home: Home) -> None:
    paid, void, euros, dollars = (
        ledger.bill(home, currency=currency) for currency in ("EUR", "EUR", "EUR", "USD")
    )
    ledger.pay(home, [paid])
    ledger.void(void)
    wanted = [str(uuid4()), void, paid, dollars, euros]
    codes = []
    for given_up in range(len(wanted)):
        answer = ledger.pay(home, wanted[given_up:], total=1)
        codes.append(answer["code"])
    assert codes == [
        "bill_not_found", "bill_void", "bill_already_paid", "currency_mixed", "total_changed",
    ]  # fmt: skip


def test_a_changed_total_is_told(ledger: Ledger, home: Home) -> None:
    answer = ledger.pay(home, ledger.bills(home, 100, 200), total=299)
    assert (answer["status"], answer["code"]) == ("rejected", "total_changed")
    assert answer["data"] == {"total_minor": 300, "expected_total_minor": 299}


def test_the_expected_total_is_paid(ledger: Ledger, home: Home) -> None:
    assert ledger.pay(home, ledger.bills(home, 100, 200), total=300)["status"] == "done"


def test_no_bills_are_no_payment(ledger: Ledger, home: Home) -> None:
    assert ledger.pay(home, [])["code"] == "invalid_request"


def test_a_rejection_changes_neither_debts_nor_version(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, 100)
    before = ledger.debts(home)
    ledger.pay(home, [*bills, uuid4()])
    assert ledger.debts(home) == before


def test_a_thousand_bills_are_paid_at_once(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, *range(1, 1001))
    data = ledger.pay(home, bills)["data"]
    assert (len(data["lines"]), data["total_minor"]) == (1000, 500500)


def test_a_former_resident_is_still_answered_what_they_were(ledger: Ledger, home: Home) -> None:
    bills = ledger.bills(home, 100)
    answer = ledger.pay(home, bills, key="k")
    ledger.ask("operator", "end_residency", home.subject, home.apartment)
    assert ledger.pay(home, bills, key="k") == answer

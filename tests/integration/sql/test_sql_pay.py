"""api.pay: what it makes, what it refuses and in which order, and what it answers again."""

import re
from uuid import uuid4

import pytest

from tests.support.books import Books, Home, query


@pytest.fixture
def home(books: Books) -> Home:
    return books.home()


def test_a_payment_settles_the_chosen_bills_and_leaves_the_others_owed(
    books: Books, home: Home
) -> None:
    chosen, left = books.bills(home, 5140, 300)
    answer = books.pay(home, [chosen])
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
    assert books.open_bills(home) == {left}


def test_a_receipt_number_names_the_year_and_is_never_given_twice(books: Books, home: Home) -> None:
    receipts = [
        books.pay(home, [bill])["data"]["receipt_number"] for bill in books.bills(home, 1, 2)
    ]
    assert all(re.fullmatch(r"R-20\d\d-\d{10}", receipt) for receipt in receipts)
    assert len(set(receipts)) == 2


def test_a_payment_moves_the_version_by_one(books: Books, home: Home) -> None:
    bills = books.bills(home, 100, 200)
    before = books.version(home)
    books.pay(home, bills)
    assert books.version(home) == before + 1


def test_order_and_repetition_of_bills_mean_nothing(books: Books, home: Home) -> None:
    first, second = books.bills(home, 100, 200)
    answer = books.pay(home, [second, first, second], key="k")
    assert answer["data"]["total_minor"] == 300
    assert books.pay(home, [first, second], key="k") == answer


def test_a_repeated_key_is_answered_as_the_first_time(books: Books, home: Home) -> None:
    bills = books.bills(home, 100)
    answer = books.pay(home, bills, key="k")
    books.reverse(answer["data"]["payment_id"])
    books.provider(name="Another Name")
    assert books.pay(home, bills, key="k") == answer
    assert books.open_bills(home) == set(bills)


def test_a_stored_refusal_is_answered_again_though_the_reason_is_gone(
    books: Books, home: Home
) -> None:
    (bill,) = books.bills(home, 100)
    payment = books.pay(home, [bill])["data"]["payment_id"]
    refusal = books.pay(home, [bill], key="k")
    books.reverse(payment)
    assert refusal["code"] == "bill_already_paid"
    assert books.pay(home, [bill], key="k") == refusal


@pytest.mark.parametrize("change", ["bills", "total", "apartment"])
def test_a_key_used_for_something_else_is_refused(books: Books, home: Home, change: str) -> None:
    first, second = books.bills(home, 100, 100)
    elsewhere = Home(home.subject, books.apartment())
    books.grant(elsewhere.subject, elsewhere.apartment)
    done = books.pay(home, [first], key="k")
    again = {
        "bills": lambda: books.pay(home, [second], key="k"),
        "total": lambda: books.pay(home, [first], key="k", total=100),
        "apartment": lambda: books.pay(elsewhere, [first], key="k"),
    }[change]()
    assert again["code"] == "idempotency_key_reused"
    assert books.pay(home, [first], key="k") == done


def test_two_residents_may_use_the_same_key(books: Books, home: Home) -> None:
    other = books.home()
    mine, theirs = books.bill(home), books.bill(other)
    assert books.pay(home, [mine], key="k")["data"]["lines"][0]["bill_id"] == mine
    assert books.pay(other, [theirs], key="k")["data"]["lines"][0]["bill_id"] == theirs


def test_a_subject_who_is_no_resident_is_refused_and_nothing_is_stored(
    books: Books, home: Home
) -> None:
    stranger = Home(uuid4(), home.apartment)
    answer = books.pay(stranger, books.bills(home, 100), key="stranger's")
    assert answer["code"] == "apartment_not_found"
    kept = "SELECT * FROM billing.payment_requests WHERE request_key = %s"
    assert query(books.connection("owner"), kept, "stranger's") == []


def test_apartments_of_others_unknown_former_and_future_ones_read_alike(
    books: Books, home: Home
) -> None:
    former, future = books.apartment(), books.apartment()
    books.grant(home.subject, former)
    books.ask("operator", "end_residency", home.subject, former)
    books.grant(home.subject, future, since="2999-01-01T00:00:00Z")
    refused = [
        books.pay(Home(home.subject, apartment), [uuid4()])
        for apartment in (books.home().apartment, uuid4(), former, future)
    ]
    assert [answer["code"] for answer in refused] == ["apartment_not_found"] * 4
    assert all(answer == refused[0] for answer in refused)


def test_foreign_and_unknown_bills_are_not_found(books: Books, home: Home) -> None:
    foreign, unknown = books.bill(books.home()), str(uuid4())
    answer = books.pay(home, [foreign, unknown, books.bill(home)])
    assert answer["code"] == "bill_not_found"
    assert answer["data"] == {"bills": sorted([foreign, unknown])}


def test_a_foreign_bill_alone_is_not_found_either(books: Books, home: Home) -> None:
    """As many open bills are found as were asked for, only not in this apartment."""
    neighbour = books.home()
    foreign = books.bill(neighbour)
    answer = books.pay(home, [foreign])
    assert (answer["code"], answer["data"]) == ("bill_not_found", {"bills": [foreign]})
    assert books.open_bills(neighbour) == {foreign}


def test_void_and_replaced_bills_are_void(books: Books, home: Home) -> None:
    void, replaced = books.bill(home), books.bill(home, provider_reference="B", amount_minor=5)
    books.void(void)
    books.bill(home, provider_reference="B", amount_minor=6)
    answer = books.pay(home, [void, replaced])
    assert (answer["code"], answer["data"]) == ("bill_void", {"bills": sorted([void, replaced])})


def test_the_first_refusal_that_applies_is_given(books: Books, home: Home) -> None:
    paid, void, euros, dollars = (
        books.bill(home, currency=currency) for currency in ("EUR", "EUR", "EUR", "USD")
    )
    books.pay(home, [paid])
    books.void(void)
    wanted = [str(uuid4()), void, paid, dollars, euros]
    codes = []
    for given_up in range(len(wanted)):
        answer = books.pay(home, wanted[given_up:], total=1)
        codes.append(answer["code"])
    assert codes == [
        "bill_not_found", "bill_void", "bill_already_paid", "currency_mixed", "total_changed",
    ]  # fmt: skip


def test_a_changed_total_is_told(books: Books, home: Home) -> None:
    answer = books.pay(home, books.bills(home, 100, 200), total=299)
    assert (answer["status"], answer["code"]) == ("rejected", "total_changed")
    assert answer["data"] == {"total_minor": 300, "expected_total_minor": 299}


def test_the_expected_total_is_paid(books: Books, home: Home) -> None:
    assert books.pay(home, books.bills(home, 100, 200), total=300)["status"] == "done"


def test_no_bills_are_no_payment(books: Books, home: Home) -> None:
    assert books.pay(home, [])["code"] == "invalid_request"


def test_a_refusal_changes_neither_debts_nor_version(books: Books, home: Home) -> None:
    bills = books.bills(home, 100)
    before = books.debts(home)
    books.pay(home, [*bills, uuid4()])
    assert books.debts(home) == before


def test_a_thousand_bills_are_paid_at_once(books: Books, home: Home) -> None:
    bills = books.bills(home, *range(1, 1001))
    data = books.pay(home, bills)["data"]
    assert (len(data["lines"]), data["total_minor"]) == (1000, 500500)


def test_a_former_resident_is_still_answered_what_they_were(books: Books, home: Home) -> None:
    bills = books.bills(home, 100)
    answer = books.pay(home, bills, key="k")
    books.ask("operator", "end_residency", home.subject, home.apartment)
    assert books.pay(home, bills, key="k") == answer

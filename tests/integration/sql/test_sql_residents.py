"""Residents, apartments, residencies, providers: who may act where, and what that moves."""

from uuid import uuid4

import pytest

from tests.support.books import LONG_AGO, Books, Home


@pytest.fixture
def home(books: Books) -> Home:
    return books.home()


def test_an_account_names_the_resident_and_their_apartments(books: Books) -> None:
    subject = books.resident("Ωμέγα 🏠")
    later, earlier = books.apartment("B street"), books.apartment("A street")
    for apartment in (later, earlier):
        books.grant(subject, apartment)
    account = books.ask("reader", "resident_account", subject)
    assert account["name"] == "Ωμέγα 🏠"
    assert account["apartments"] == [
        {"apartment_id": str(earlier), "address": "A street"},
        {"apartment_id": str(later), "address": "B street"},
    ]


def test_a_subject_who_is_no_resident_has_no_account(books: Books) -> None:
    assert books.ask("reader", "resident_account", uuid4()) is None


def test_an_account_leaves_out_former_and_future_apartments(books: Books, home: Home) -> None:
    future = books.apartment()
    books.grant(home.subject, future, since="2999-01-01T00:00:00Z")
    books.ask("operator", "end_residency", home.subject, home.apartment)
    assert books.ask("reader", "resident_account", home.subject)["apartments"] == []


def test_access_is_given_to_residents_of_the_apartment_alone(books: Books, home: Home) -> None:
    other = books.home()
    granted = books.rows("reader", "apartment_access", home.subject, home.apartment)
    assert [(version, since.year) for version, since in granted] == [(2, 2020)]
    for subject, apartment in (
        (other.subject, home.apartment),
        (uuid4(), home.apartment),
        (home.subject, uuid4()),
    ):
        assert books.rows("reader", "apartment_access", subject, apartment) == []
        assert books.ask("reader", "open_debts", subject, apartment) is None
        history = books.history(Home(subject, apartment))
        assert history is None


def test_granting_and_ending_move_the_version(books: Books, home: Home) -> None:
    neighbour = books.resident()
    before = books.version(home)
    books.grant(neighbour, home.apartment)
    books.ask("operator", "end_residency", neighbour, home.apartment)
    assert books.version(home) == before + 2


def test_a_residency_ended_and_granted_again_is_in_force(books: Books, home: Home) -> None:
    ended = books.ask("operator", "end_residency", home.subject, home.apartment)
    assert ended["status"] == "done"
    assert books.debts(home) is None
    assert (
        books.grant(home.subject, home.apartment)["data"]["since"] == "2020-01-01T00:00:00.000000Z"
    )
    assert books.debts(home) is not None


def test_a_residency_that_has_not_begun_can_be_ended(books: Books) -> None:
    home = Home(books.resident(), books.apartment())
    books.grant(home.subject, home.apartment, since="2999-01-01T00:00:00Z")
    ended = books.ask("operator", "end_residency", home.subject, home.apartment)
    assert ended["data"]["ended_at"] == "2999-01-01T00:00:00.000000Z"


def test_what_is_there_is_not_added_again(books: Books, home: Home) -> None:
    refused = [
        books.ask("operator", "add_resident", home.subject, "Another"),
        books.ask("operator", "add_apartment", home.apartment, "Another"),
        books.grant(home.subject, home.apartment),
    ]
    assert [answer["code"] for answer in refused] == [
        "resident_exists", "apartment_exists", "residency_exists",
    ]  # fmt: skip


@pytest.mark.parametrize("function", ["grant_residency", "end_residency"])
def test_unknown_residents_and_apartments_are_told_apart_to_operators(
    books: Books, home: Home, function: str
) -> None:
    extra = (LONG_AGO,) if function == "grant_residency" else ()
    stranger = books.ask("operator", function, uuid4(), home.apartment, *extra)
    nowhere = books.ask("operator", function, home.subject, uuid4(), *extra)
    assert (stranger["code"], nowhere["code"]) == ("resident_not_found", "apartment_not_found")


def test_a_residency_that_is_not_there_can_not_be_ended(books: Books, home: Home) -> None:
    answer = books.ask("operator", "end_residency", home.subject, books.apartment())
    assert answer["code"] == "residency_not_found"


def test_a_new_name_shows_in_debts_and_moves_the_version_but_not_receipts(
    books: Books, home: Home
) -> None:
    provider = books.provider(f"p-{uuid4()}", "Old Name")
    paid, _ = books.bills(home, 100, 200, provider_id=provider)
    receipt = books.pay(home, [paid], key="k")
    before = books.version(home)
    books.provider(provider, "New Name")
    assert books.debts(home)["debts"][0]["provider"]["name"] == "New Name"
    assert books.version(home) == before + 1
    assert books.history(home)["events"][0]["provider"]["name"] == "Old Name"
    assert books.pay(home, [paid], key="k") == receipt


def test_a_provider_added_again_with_its_name_moves_nothing(books: Books, home: Home) -> None:
    books.bill(home)
    before = books.version(home)
    books.provider()
    assert books.version(home) == before


def test_debts_are_ordered_by_due_date_utility_and_id(books: Books, home: Home) -> None:
    books.bill(home, due_on="2026-12-01", utility="gas")
    books.bill(home, due_on="2026-11-01", utility="water")
    books.bill(home, due_on="2026-11-01", utility="electricity")
    debts = books.debts(home)["debts"]
    assert [(debt["due_on"], debt["utility"]) for debt in debts] == [
        ("2026-11-01", "electricity"), ("2026-11-01", "water"), ("2026-12-01", "gas"),
    ]  # fmt: skip
    assert debts[0]["provider"] == {"provider_id": "northgas", "name": "North Gas"}
    assert debts[0]["period"] == {"from": "2026-10-01", "to": "2026-10-31"}

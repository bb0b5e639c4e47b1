"""Residents, apartments, residencies, providers: who may act where, and what that moves."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.ledger import LONG_AGO, Home, Ledger

FUTURE = "2999-01-01T00:00:00.000000Z"


def test_an_account_names_the_resident_and_their_apartments(ledger: Ledger) -> None:
    subject = ledger.resident("Ωμέγα 🏠")
    later, earlier = ledger.apartment("B street"), ledger.apartment("A street")
    for apartment in (later, earlier):
        ledger.grant(subject, apartment)
    account = ledger.ask("reader", "resident_account", subject)
    assert account["name"] == "Ωμέγα 🏠"
    assert account["apartments"] == [
        {"apartment_id": str(earlier), "address": "A street"},
        {"apartment_id": str(later), "address": "B street"},
    ]


def test_an_account_leaves_out_former_and_future_apartments_and_strangers_have_none(
    ledger: Ledger, home: Home
) -> None:
    ledger.grant(home.subject, ledger.apartment(), since=FUTURE)
    ledger.end_residency(home)
    assert ledger.ask("reader", "resident_account", home.subject)["apartments"] == []
    assert ledger.ask("reader", "resident_account", uuid4()) is None


def test_access_is_given_to_residents_of_the_apartment_alone(ledger: Ledger, home: Home) -> None:
    [(version, since)] = ledger.rows("reader", "apartment_access", *home)
    assert (version, since.year) == (2, 2020)
    for stranger in (
        Home(ledger.home().subject, home.apartment),
        Home(uuid4(), home.apartment),
        Home(home.subject, uuid4()),
    ):
        assert ledger.rows("reader", "apartment_access", *stranger) == []
        assert ledger.debts(stranger) is None
        assert ledger.history(stranger) is None


def test_ending_and_granting_again_move_the_version(ledger: Ledger, home: Home) -> None:
    before = ledger.version(home)
    assert ledger.end_residency(home)["status"] == "done"
    assert ledger.debts(home) is None
    assert ledger.grant(*home)["data"]["since"] == "2020-01-01T00:00:00.000000Z"
    assert ledger.version(home) == before + 2


def test_now_is_after_the_last_event_even_if_the_clock_was_set_back(
    ledger: Ledger, home: Home
) -> None:
    ledger.pay(home, [ledger.bill(home)])
    new = ledger.resident()
    found = ledger.after_damage(
        "UPDATE billing.apartment_state SET last_posted_at = '2999-01-01Z'"
        f" WHERE apartment_id = '{home.apartment}';"
        f" SELECT api.grant_residency('{new}', '{home.apartment}', NULL)",
        f"SELECT visible_from::text FROM api.apartment_access('{new}', '{home.apartment}')",
    )
    assert found == [("2999-01-01 00:00:00.000001+00",)]


def test_a_residency_that_has_not_begun_can_be_ended(ledger: Ledger) -> None:
    home = Home(ledger.resident(), ledger.apartment())
    ledger.grant(*home, since=FUTURE)
    assert ledger.end_residency(home)["data"]["ended_at"] == FUTURE


def test_adding_twice_and_ending_what_does_not_exist_are_rejected(
    ledger: Ledger, home: Home
) -> None:
    rejected = [
        ledger.ask("operator", "add_resident", home.subject, "Another"),
        ledger.ask("operator", "add_apartment", home.apartment, "Another"),
        ledger.grant(*home),
        ledger.end_residency(Home(home.subject, ledger.apartment())),
    ]
    assert [answer["code"] for answer in rejected] == [
        "resident_exists", "apartment_exists", "residency_exists", "residency_not_found",
    ]  # fmt: skip


@pytest.mark.parametrize("function", ["grant_residency", "end_residency"])
def test_operators_learn_whether_the_resident_or_the_apartment_is_unknown(
    ledger: Ledger, home: Home, function: str
) -> None:
    since = (LONG_AGO,) if function == "grant_residency" else ()
    stranger = ledger.ask("operator", function, uuid4(), home.apartment, *since)
    nowhere = ledger.ask("operator", function, home.subject, uuid4(), *since)
    assert (stranger["code"], nowhere["code"]) == ("resident_not_found", "apartment_not_found")


def test_a_new_name_shows_in_debts_and_moves_the_version_but_not_receipts(
    ledger: Ledger, home: Home
) -> None:
    provider = ledger.provider(f"p-{uuid4()}", "Old Name")
    paid, _ = ledger.bills(home, 100, 200, provider_id=provider)
    receipt = ledger.pay(home, [paid], key="k")
    before = ledger.version(home)
    for _ in range(2):  # The second call changes nothing.
        ledger.provider(provider, "New Name")
    assert ledger.debts(home)["debts"][0]["provider"]["name"] == "New Name"
    assert ledger.version(home) == before + 1
    assert ledger.history(home)["events"][0]["provider"]["name"] == "Old Name"
    assert ledger.pay(home, [paid], key="k") == receipt


def test_debts_are_ordered_by_due_date_utility_and_id(ledger: Ledger, home: Home) -> None:
    expected = [("2026-11-01", "electricity"), ("2026-11-01", "water"), ("2026-12-01", "gas")]
    for due_on, utility in reversed(expected):
        ledger.bill(home, due_on=due_on, utility=utility)
    debts = ledger.debts(home)["debts"]
    assert [(debt["due_on"], debt["utility"]) for debt in debts] == expected
    assert debts[0]["provider"] == {"provider_id": "northgas", "name": "North Gas"}
    assert debts[0]["period"] == {"from": "2026-10-01", "to": "2026-10-31"}

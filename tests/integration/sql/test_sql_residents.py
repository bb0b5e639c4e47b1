"""Residents, apartments, residencies, providers: who may act where, and what that moves."""

from __future__ import annotations

from uuid import uuid4

from tests.support.ledger import Home, Ledger

FUTURE = "2999-01-01T00:00:00.000000Z"


def test_an_account_names_the_resident_and_their_apartments(ledger: Ledger) -> None:
    subject = ledger.resident("Ωμέγα 🏠")
    later, earlier = ledger.apartment("B street"), ledger.apartment("A street")
    for apartment in (later, earlier):
        ledger.grant(subject, apartment)
    account = ledger.ask("reader", "resident_account", subject)
    assert account["name"] == "Ωμέγα 🏠"
    assert account["apartments"] == [
        {"apartment_id": str(earlier), "address": "A street", "former": False},
        {"apartment_id": str(later), "address": "B street", "former": False},
    ]


def test_an_account_leaves_out_future_apartments_and_strangers_have_none(
    ledger: Ledger, home: Home
) -> None:
    ledger.grant(home.subject, ledger.apartment(), since=FUTURE)
    ledger.end_residency(home)
    [listed] = ledger.ask("reader", "resident_account", home.subject)["apartments"]
    assert (listed["apartment_id"], listed["former"]) == (str(home.apartment), True)
    assert ledger.ask("reader", "resident_account", uuid4()) is None


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

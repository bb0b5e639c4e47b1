"""What the command keeps on disk, for whom, and who can read it."""

from __future__ import annotations

import stat

import pytest
from billing_client import PendingRequest
from billing_client.storage import ServiceFiles, default_home, read_private, write_private

from tests.support.fake_api import FakeApi
from tests.support.fake_ledger import FakeApartment, bill
from tests.unit.client.billing_runs import Billing


def test_files_and_folders_are_private(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [bill()]
    at_home.ok("pay", "--all", "--yes")
    at_home.ok("history")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in at_home.files("*.json")}
    assert modes == {0o600}
    assert stat.S_IMODE(at_home.home.stat().st_mode) == 0o700
    assert [path.name for path in at_home.files("*.new")] == []


def test_no_name_on_disk_tells_who_or_what_it_is_about(
    at_home: Billing, flat: FakeApartment
) -> None:
    at_home.ok("history")
    names = " ".join(str(path.relative_to(at_home.home)) for path in at_home.files("*"))
    assert flat.apartment_id not in names
    assert "ada" not in names


def test_logout_removes_the_tokens(at_home: Billing, api: FakeApi) -> None:
    assert at_home.json("logout") == {"logged_out": True}
    assert at_home.files("session.json") == []
    assert "You were not logged in." in at_home.ok("logout")
    kept = "".join(path.read_text() for path in at_home.files("*.json"))
    assert "refresh-" not in kept


def test_another_resident_sees_nothing_of_the_first(
    at_home: Billing, api: FakeApi, flat: FakeApartment
) -> None:
    flat.debts = [bill()]
    api.silent = {"payments"}
    at_home.run("pay", "--all", "--yes", "--timeout", "0.3")
    api.silent = set()
    at_home.ok("history")
    api.ledger.add_user("bob").apartments.append(flat.apartment_id)
    at_home.login("bob")
    assert at_home.run("history", "--offline").exit_code == 3
    assert "No pending payments" in at_home.ok("pay", "--resume")
    at_home.login("ada")
    assert "Nothing has been paid yet." in at_home.ok("history", "--offline")
    assert "The pending payment was made." in at_home.ok("pay", "--resume")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_file_is_read_as_none(at_home: Billing, flat: FakeApartment, damage: str) -> None:
    flat.debts = [bill()]
    at_home.ok("pay", "--all", "--yes")
    at_home.ok("history")
    (kept,) = [path for path in at_home.files("*.json") if path.parent.name == "history"]
    kept.write_text(damage)
    assert "51.40 EUR" in at_home.ok("history")
    (session,) = at_home.files("session.json")
    session.write_text(damage)
    assert at_home.run("history").exit_code == 6


def test_history_is_kept_part_by_part(at_home: Billing, api: FakeApi, flat: FakeApartment) -> None:
    flat.debts = [bill() for _ in range(6)]
    at_home.ok("pay", "--all", "--yes")
    api.ledger.page_size = api.ledger.part_size = 4
    answered = api.ledger.history
    answers = [answered, lambda *_: {"status": "failed", "code": "internal_error"}]
    api.ledger.history = lambda *words: answers.pop(0)(*words)  # type: ignore[method-assign]
    assert at_home.run("history").exit_code == 4
    assert len(at_home.json("history", "--offline")["events"]) == 4
    api.ledger.history = answered  # type: ignore[method-assign]
    assert len(at_home.json("history")["events"]) == 6


def test_a_write_that_fails_leaves_the_old_file(at_home: Billing) -> None:
    path = at_home.home / "kept.json"
    write_private(path, {"value": 1})
    with pytest.raises(TypeError):
        write_private(path, {"value": object()})
    kept = read_private(path)
    assert kept is not None
    assert kept["value"] == 1
    assert at_home.files(".*.new") == []


def test_pending_payments_come_back_oldest_first(at_home: Billing) -> None:
    store = ServiceFiles(at_home.home, at_home.url).pending_payments
    payments = [
        PendingRequest("payments", "/p", idempotency_key=f"key/../{number}") for number in range(3)
    ]
    for payment in payments:
        store.keep(payment)
    assert store.all() == tuple(payments)
    for path in at_home.files("*.json"):
        if path.parent.name == "pending" and "key/../2" in path.read_text():
            path.write_text('{"format": 1}')
    store.forget(payments[1])
    store.forget(payments[1])
    assert store.all() == (payments[0],)


def test_home_is_the_users_own_unless_told(
    monkeypatch: pytest.MonkeyPatch, at_home: Billing
) -> None:
    monkeypatch.delenv("BILLING_HOME", raising=False)
    assert default_home().name == "utilities-billing"
    monkeypatch.setenv("BILLING_HOME", str(at_home.home))
    assert default_home() == at_home.home

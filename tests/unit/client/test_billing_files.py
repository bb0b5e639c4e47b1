"""What the command stores on disk, for whom, and who can read it."""

from __future__ import annotations

import re
import stat

import pytest
from billing_client import PendingRequest
from billing_client.files import ServiceFiles, default_home, read_private, write_private

from billing_app.domain.errors import Unavailable
from tests.support.billing_service import BillingService, Residency, small_parts
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing


def test_files_and_folders_are_private(logged_in: Billing, apartment: Residency) -> None:
    apartment.owes(a_debt())
    logged_in.ok("pay", "--all", "--yes")
    logged_in.ok("history")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in logged_in.files("*.json")}
    assert modes == {0o600}
    folders = [logged_in.folder, *(path for path in logged_in.files("*") if path.is_dir())]
    assert len(folders) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert [path.name for path in logged_in.files("*.new")] == []


def test_file_names_reveal_nothing(logged_in: Billing, apartment: Residency) -> None:
    logged_in.ok("history")
    names = " ".join(str(path.relative_to(logged_in.folder)) for path in logged_in.files("*"))
    assert apartment.apartment_id not in names
    # A digest may hold the letters by chance.
    assert not re.search(r"\bada\b", names)


def test_logout_removes_the_tokens(logged_in: Billing) -> None:
    """Also those in the file of a process that was killed while it wrote."""
    logged_in.ok("history")
    [session] = logged_in.files("session.json")
    session.with_name(".killed.new").write_text(session.read_text())
    assert logged_in.json("logout") == {"logged_out": True}
    assert logged_in.files("session.json") == []
    assert "You were not logged in." in logged_in.ok("logout")
    kept = "".join(path.read_text() for path in logged_in.files("*") if path.is_file())
    assert kept
    assert "refresh-" not in kept


def test_another_resident_sees_no_file_of_the_first(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    apartment.owes(a_debt())
    service.silent = {"payments"}
    logged_in.run("pay", "--all", "--yes")
    service.silent = set()
    logged_in.ok("history")
    service.add_resident("bob", apartment.id)
    logged_in.login("bob")
    assert logged_in.run("history", "--offline").exit_code == 3
    assert "No pending payments." in logged_in.ok("pay", "--resume")
    logged_in.login("ada")
    assert "Nothing has been paid yet." in logged_in.ok("history", "--offline")
    assert "The pending payment was made." in logged_in.ok("pay", "--resume")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_file_counts_as_absent(
    logged_in: Billing, apartment: Residency, damage: str
) -> None:
    apartment.pays(a_debt())
    logged_in.ok("history")
    (stored,) = [path for path in logged_in.files("*.json") if path.parent.name == "history"]
    stored.write_text(damage)
    assert "51.40 EUR" in logged_in.ok("history")
    (session,) = logged_in.files("session.json")
    session.write_text(damage)
    assert logged_in.run("history").exit_code == 6


def test_history_is_stored_part_by_part(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    apartment.pays(*(a_debt() for _ in range(6)))

    def fail_later(reply: dict[str, object]) -> dict[str, object]:
        service.failing["histories"] = Unavailable("database: down")
        return reply

    service.edit = fail_later
    with small_parts(item_bytes=5_000, page_events=4):
        assert logged_in.run("history").exit_code == 4
        assert len(logged_in.json("history", "--offline")["events"]) == 4
        service.failing.clear()
        service.edit = lambda reply: reply
        assert len(logged_in.json("history")["events"]) == 6


def test_a_failed_write_leaves_the_old_file(logged_in: Billing) -> None:
    path = logged_in.folder / "kept.json"
    write_private(path, {"value": 1})
    with pytest.raises(TypeError):
        write_private(path, {"value": object()})
    assert read_private(path) == {"format": 1, "value": 1}
    assert logged_in.files(".*.new") == []


def test_pending_payments_come_back_oldest_first(logged_in: Billing) -> None:
    files = ServiceFiles(logged_in.folder, logged_in.url)
    store = files.pending_payments(files.session)
    payments = [
        PendingRequest("payments", "/p", idempotency_key=f"key/../{number}") for number in range(3)
    ]
    for payment in payments:
        store.keep(payment)
    assert store.all() == tuple(payments)
    for path in logged_in.files("*.json"):
        if path.parent.name == "pending" and "key/../2" in path.read_text():
            path.write_text('{"format": 1}')
    store.forget(payments[1])
    store.forget(payments[1])
    assert store.all() == (payments[0],)


def test_files_are_in_the_users_folder_unless_told(
    monkeypatch: pytest.MonkeyPatch, logged_in: Billing
) -> None:
    monkeypatch.delenv("BILLING_HOME", raising=False)
    assert default_home().name == "utilities-billing"
    monkeypatch.setenv("BILLING_HOME", str(logged_in.folder))
    assert default_home() == logged_in.folder

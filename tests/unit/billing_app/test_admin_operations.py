"""The operators' operations as Lambda functions run them: JSON in, JSON out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.admin import bill_operations
from billing_app.admin.formatting import plain
from billing_app.admin.operations import OPERATIONS, function_event, handle, handle_event
from billing_app.domain.errors import Unavailable
from billing_app.ports.operator_ledger import AdminContext
from tests.support.bill_files import bill_line, bill_text, ledger_to_bill
from tests.support.bills import APARTMENT, a_line
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeUserDirectory

MADE_ID = UUID("11111111-2222-4333-8444-555555555555")


@pytest.fixture
def ledger() -> FakeLedger:
    return ledger_to_bill()


@pytest.fixture
def context(ledger: FakeLedger) -> AdminContext:
    return AdminContext(ledger, FakeUserDirectory(), clock=lambda: NOW, new_id=lambda: MADE_ID)


def ask(context: AdminContext, event_name: str, **event: Any) -> dict[str, Any]:
    """Ask as Lambda does: JSON in, JSON out."""
    answer = handle(event_name, json.loads(json.dumps(event)), context=context)
    told: dict[str, Any] = json.loads(json.dumps(answer))
    return told


def test_an_apartment_gets_an_id(context: AdminContext, ledger: FakeLedger) -> None:
    answer = ask(context, "add_apartment", address="Main street 2")
    assert answer["data"]["apartment_id"] == str(MADE_ID)
    # The database may have done it before its answer was lost and asked for again.
    assert ask(context, "add_apartment", address="Main street 2")["status"] == "done"
    taken = ask(context, "add_apartment", address="x", apartment_id=str(APARTMENT))
    assert taken["code"] == "apartment_exists"
    assert ledger.apartments[APARTMENT].address == "Main street 1"


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u00ad", "\ufeff", "\ue000", "\x1b"])
@pytest.mark.parametrize(
    ("operation", "field", "rest"),
    [
        ("add_apartment", "address", {}),
        ("add_provider", "name", {"provider_id": "p"}),
        ("add_resident", "name", {"username": "ada", "password": "x"}),
        ("void_bill", "reason", {"bill_id": str(APARTMENT), "operator": "o"}),
        ("void_bill", "operator", {"bill_id": str(APARTMENT), "reason": "r"}),
    ],
)
def test_no_text_has_a_character_that_nobody_sees(
    context: AdminContext, operation: str, field: str, rest: dict[str, str], hidden: str
) -> None:
    """As in bill files: with one, two names look alike, or read backwards."""
    answer = ask(context, operation, **rest, **{field: f"North{hidden}Gas"})
    assert (answer["code"], list(answer["data"]["fields"])) == ("invalid_request", [field])


def test_a_file_is_imported_as_text(context: AdminContext, ledger: FakeLedger) -> None:
    text = bill_text(bill_line(), bill_line(provider_reference="=cmd"))
    answer = ask(context, "import_bills", text=text)
    assert answer["code"] == "lines_rejected"
    assert (answer["data"]["issued"], answer["data"]["rejected"]) == (1, 1)
    assert answer["data"]["rejected_lines"][0]["problems"][0]["code"] == "formula_rejected"
    again = ask(context, "import_bills", text=bill_text(bill_line()), dry_run=True)
    assert (again["status"], again["data"]["already_present"]) == ("done", 1)
    assert len(ledger.bills) == 1


def test_only_so_many_rejected_lines_fit_into_an_answer(
    context: AdminContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_operations, "MAX_REJECTED_LINES", 2)
    answer = ask(context, "import_bills", text=bill_text(*["x"] * 5))
    assert len(answer["data"]["rejected_lines"]) == 2
    assert answer["data"]["rejected_lines_left_out"] == 3


def batch(**changes: Any) -> dict[str, Any]:
    return {
        "import_id": str(uuid4()),
        "file_name": "bills.csv",
        "sha256": "0" * 64,
        "lines": [{**plain(a_line()), **changes}],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 51.4},
        {"amount_minor": 0},
        {"currency": "eur"},
        {"utility": "GAS"},
        {"provider_id": "a b"},
        {"provider_reference": "=1+1"},
        {"provider_reference": " X"},
        {"provider_reference": "X\u200b"},
        {"period_to": "2026-09-30"},
        {"line": True},
        {"more": 1},
    ],
)
def test_lines_are_checked_all_the_same(
    context: AdminContext, ledger: FakeLedger, changes: dict[str, Any]
) -> None:
    assert ask(context, "import_bills", **batch(**changes))["code"] == "invalid_request"
    assert ledger.bills == {}


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501])
def test_what_is_taken_back_needs_a_reason(context: AdminContext, reason: str) -> None:
    answer = ask(context, "void_bill", bill_id=str(uuid4()), reason=reason, operator="olga")
    assert answer["code"] == "reason_required"


def test_a_ledger_that_agrees_reconcile(context: AdminContext) -> None:
    answer = ask(context, "reconcile")
    assert answer["data"]["agrees"] is True
    assert (answer["data"]["from"], answer["data"]["to"]) == ("2026-10-23", "2026-11-22")


def test_days_come_in_order(context: AdminContext) -> None:
    days = {"from": NOW.date().isoformat(), "to": (NOW - timedelta(1)).date().isoformat()}
    assert ask(context, "reconcile", **days)["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("name", "event", "field"),
    [
        ("add_resident", {"username": "anna"}, "name"),
        ("add_resident", {"username": "a\nb", "name": "A"}, "username"),
        ("add_resident", {"username": "a", "name": "A", "email": "no"}, "email"),
        (
            "add_resident",
            {"username": "a", "name": "A", "apartment_id": str(APARTMENT), "address": "x"},
            "address",
        ),
        ("add_apartment", {"address": " "}, "address"),
        ("add_provider", {"provider_id": "a b", "name": "A"}, "provider_id"),
        ("grant_residency", {"username": "a", "apartment_id": "1"}, "apartment_id"),
        ("reconcile", {"to": "0001-01-05"}, "to"),
        (
            "grant_residency",
            {"username": "a", "apartment_id": str(APARTMENT), "since": "2026-01-01T00:00:00"},
            "since",
        ),
        ("import_bills", {}, "text"),
        ("import_bills", {"text": "", "lines": []}, "lines"),
        ("reconcile", {"from": "yesterday"}, "from"),
        ("void_bill", {"bill_id": str(APARTMENT), "reason": "x"}, "operator"),
    ],
)
def test_an_event_that_cannot_be_read_names_its_field(
    context: AdminContext, name: str, event: dict[str, Any], field: str
) -> None:
    answer = ask(context, name, **event)
    assert (answer["status"], answer["code"]) == ("rejected", "invalid_request")
    assert field in answer["data"]["fields"]


def test_a_password_that_is_wrong_is_not_told_back(context: AdminContext) -> None:
    answer = ask(context, "add_resident", username="anna", name="A", password="canary-1")
    assert answer["code"] == "invalid_new_password"
    assert "canary" not in json.dumps(answer)


class Silent(FakeLedger):
    """Does not answer."""

    def add_provider(self, *, provider_id: str, name: str) -> None:
        raise Unavailable("gone")


def test_an_outage_is_told_as_failed(context: AdminContext) -> None:
    answer = ask(replace(context, ledger=Silent()), "add_provider", provider_id="a", name="A")
    assert (answer["status"], answer["code"]) == ("failed", "service_unavailable")


def test_a_function_does_its_own_operations_only(context: AdminContext, ledger: FakeLedger) -> None:
    arguments = {"provider_id": "waterworks", "name": "Waterworks"}
    event = {"operation": "add_provider", "arguments": arguments}
    rejected = handle_event("admin_users", event, context=context)[1]
    assert (rejected["code"], list(rejected["data"]["fields"])) == (
        "invalid_request",
        ["operation"],
    )
    assert "waterworks" not in ledger.providers
    name, answer = handle_event("admin", event, context=context)
    assert (name, answer["status"]) == ("add_provider", "done")


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_event_of_each_operation_names_a_function_that_does_it(
    context: AdminContext, name: str
) -> None:
    function, event = function_event(name, {"unknown": 1})
    assert handle_event(function, event, context=context)[0] == name

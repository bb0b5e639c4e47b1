"""Output of the command: nothing that the service sends can control the terminal."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from billing_client import Period
from billing_client.cli.context import is_private_connection
from billing_client.cli.formatting import period_text, short_ids
from billing_client.cli.terminal import json_text, safe
from rich.cells import cell_len

from billing_app.domain.bills import Debt, Provider
from tests.support.billing_service import BillingService, FaultyTransport, Residency
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing

HOSTILE = "Evil\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp\u200b[red]Gas[/red] :smile:\nnext"
SCRIPTS = ["Тепло та Газ", "水道局", "شركة الغاز", "⚡️ Power 👩‍🔧", "e\u0301nergie", "Gas"]


def named(name: str) -> Debt:
    return a_debt(utility=name, provider=Provider(name, name))


def test_names_can_not_control_the_terminal(logged_in: Billing, apartment: Residency) -> None:
    apartment.owes(named(HOSTILE))
    shown = logged_in.ok("debts") + logged_in.ok("pay", "--all", "--yes") + logged_in.ok("history")
    shown += logged_in.ok("history", "--by", "provider") + logged_in.ok("history", "--csv")
    for character in "\x1b\x07\x9b\u202e\u200b":
        assert character not in shown
    assert "[red]Gas[/red] :smile: next" in shown


def test_json_is_complete_and_can_not_control_the_terminal(
    logged_in: Billing, apartment: Residency
) -> None:
    apartment.owes(named(HOSTILE))
    shown = logged_in.ok("debts", "--json")
    for character in "\x1b\x07\x9b\u202e\u200b":
        assert character not in shown
    assert json.loads(shown)["debts"][0]["provider"]["name"] == HOSTILE


def test_errors_can_not_control_the_terminal(logged_in: Billing, service: BillingService) -> None:
    def hostile(reply: dict[str, Any]) -> dict[str, Any]:
        return {**reply, "status": "failed", "code": HOSTILE, "message": HOSTILE}

    service.edit = hostile
    result = logged_in.run("debts")
    assert "\x1b" not in result.stderr
    assert "[red]Gas[/red]" in result.stderr


def test_names_in_any_script_line_up(logged_in: Billing, apartment: Residency) -> None:
    apartment.owes(*(a_debt(provider=Provider(name, name)) for name in SCRIPTS))
    lines = logged_in.ok("debts").splitlines()[1 : 1 + len(SCRIPTS)]
    ends = {cell_len(line[: line.index(" EUR")]) for line in lines}
    assert len(ends) == 1


def test_letters_stay_as_they_are() -> None:
    assert [safe(name) for name in SCRIPTS] == SCRIPTS


def test_json_text_escapes_only_unsafe_characters() -> None:
    assert json_text("Газ \x9b\u2028") == '"Газ \\u009b\\u2028"'


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        (date(2023, 2, 1), date(2023, 2, 28), "2023-02"),
        (date(2026, 10, 1), date(2026, 12, 31), "2026-10-01 to 2026-12-31"),
        (date(2026, 10, 2), date(2026, 10, 31), "2026-10-02 to 2026-10-31"),
    ],
)
def test_a_whole_month_is_shown_as_one(first: date, last: date, text: str) -> None:
    assert period_text(Period(first, last)) == text


def test_short_ids_are_unambiguous() -> None:
    assert short_ids(["aaaaaaaa-1", "aaaaaaaa-2"]) == {
        "aaaaaaaa-1": "aaaaaaaa-1",
        "aaaaaaaa-2": "aaaaaaaa-2",
    }


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://api.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_a_connection_without_tls_is_private_on_this_machine_only(url: str, private: bool) -> None:
    assert is_private_connection(url) is private


def test_no_password_is_sent_over_an_open_connection(
    billing: Billing, wire: FaultyTransport
) -> None:
    url = ["--url", "http://api.example"]
    result = billing.run("login", "ada", "--password-stdin", *url, answers="secret\n")
    assert (result.exit_code, "is not encrypted" in result.stderr, wire.requests) == (2, True, [])

"""Errors of the command: exit code, message and advice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import click
import pytest
from billing_client import BillingClient
from billing_client.cli import pay
from billing_client.cli.context import choose_apartment
from billing_client.errors import COMMAND_CODES
from billing_client.models import Apartment
from click.testing import Result

from billing_app.domain.bills import Period
from billing_app.domain.errors import Unavailable
from tests.support.billing_service import BillingService, Fault, FaultyTransport, Residency
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing
from tools.local.gateway.document import SOURCE, parse

NOBODYS = UUID("5a3c1c9e-6a52-4f0e-8f8e-2d7b0c1f3a11")


@pytest.fixture
def owed(apartment: Residency) -> Residency:
    apartment.owes(a_debt(bill_id=UUID("abcd0000-6a52-4f0e-8f8e-2d7b0c1f3a11")))
    return apartment


def ends(result: Result, code: int, *expected: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    for text in expected:
        assert text in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pay"], "Select bills with"),
        (["pay", "--bill", ""], "'' is not a bill's id"),
        (["pay", "--bill", "5d1", "--yes"], "first four characters"),
        (["debts", "--url", "http://a..b"], "not an http"),
        (["debts", "--url", "http://127.0.0.1:port"], "not an http"),
        (["pay", "--period", "2026-13"], "use YYYY-MM, for example 2026-10"),
        (["pay", "--resume", "--all"], "can't be combined"),
        (["debts", "--apartment", "9"], "No apartment '9'"),
        (["debts", "--url", "ftp://nowhere"], "not an http"),
        (["debts", "--timeout", "nan"], "seconds"),
        (["debts", "--timeout", "0"], "range"),
        (["history", "--csv", "--json"], "either --csv or --json"),
        (["fly"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2(logged_in: Billing, words: list[str], expected: str) -> None:
    ends(logged_in.run(*words), 2, expected)


def test_digits_are_a_number_in_the_list_and_never_the_start_of_an_id() -> None:
    one = Apartment("a1b2c3d4-0000-4000-8000-000000000000", "1 Mill Lane")
    two = Apartment("29999999-0000-4000-8000-000000000000", "2 Mill Lane")
    for chosen, expected in {"1": one, "A1B2": one, "2": two, "29999999": two}.items():
        assert choose_apartment((one, two), chosen) == expected.apartment_id
    for chosen in ("3", "299", "0"):
        with pytest.raises(click.UsageError, match="No apartment"):
            choose_apartment((one, two), chosen)


def test_two_apartments_and_no_selection_end_with_2(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    second = service.add_apartment(apartment.subject)
    logged_in.ok("apartments", "--refresh")
    # By their address, which begins as the id does.
    in_order = sorted((apartment, second), key=lambda one: one.apartment_id)
    listed = [f"{one.apartment_id[:4]} street" for one in in_order]
    ends(logged_in.run("debts"), 2, "Select an apartment", *listed)
    found = logged_in.json("debts", "--apartment", "2")
    assert found["apartment_id"] == in_order[1].apartment_id


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pay", "--all"], "nothing was changed. Use --yes to skip"),
        (["login", "ada"], "Input required; nothing was changed"),
        (["login", "ada", "--password-stdin"], "no password on stdin"),
    ],
)
def test_a_prompt_that_nobody_can_answer_ends_with_2(
    logged_in: Billing, owed: Residency, words: list[str], expected: str
) -> None:
    ends(logged_in.run(*words, answers=""), 2, expected)
    assert owed.events == []


def test_a_wrong_password_ends_with_3(billing: Billing) -> None:
    result = billing.run("login", "ada", "--password-stdin", answers="mistaken\n")
    ends(result, 3, "Check username and password")
    assert "mistaken" not in result.output


SELECTIONS: dict[str, tuple[Sequence[str], str]] = {
    "bill_ambiguous": (["pay", "--bill", "abcd"], "'abcd' matches several open bills."),
    "bill_not_found": (["pay", "--bill", "ffff"], "'ffff' matches no open bill."),
    "bill_of_former_resident": (["pay", "--bill", "abcd"], "'abcd' is the bill of somebody"),
    "currency_mixed": (["pay", "--all"], "51.40 EUR and 5,140 JPY"),
    "history_not_fetched": (["history", "--offline"], "No history of this apartment"),
    "no_matching_bill": (["pay", "--utility", "steam"], "No open bill matches"),
    "receipt_not_found": (["receipt", "R-9"], "no receipt 'R-9'"),
    "too_many_bills": (["pay", "--all"], "at most 1 bills"),
    "no_apartment": (["debts"], "You have no apartment."),
    "client_error": (["debts", "--json"], "ZeroDivisionError: division by zero"),
    "file_error": (["history", "--csv", "/nowhere/at/all.csv"], "/nowhere/at/all.csv"),
}


@pytest.mark.parametrize("code", COMMAND_CODES)
def test_each_error_of_the_command_itself_has_its_code(
    logged_in: Billing,
    service: BillingService,
    owed: Residency,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    other = a_debt(currency="JPY", bill_id=UUID("abcd1111-6a52-4f0e-8f8e-2d7b0c1f3a11"))
    if code == "bill_of_former_resident":
        owed.follows(service.add_resident("zoe"))
        other = replace(other, period=Period(date(2025, 11, 1), date(2025, 11, 30)))
    owed.owes(other)
    if code == "too_many_bills":
        monkeypatch.setattr(pay, "MAX_BILLS", 1)
    if code == "no_apartment":
        service.ledger.residencies.clear()
        logged_in.ok("apartments", "--refresh")
    if code == "client_error":
        monkeypatch.setattr(BillingClient, "debts", lambda *_: 1 / 0)
    words, expected = SELECTIONS[code]
    result = logged_in.run(*words)
    ends(result, 4 if code in {"file_error", "client_error"} else 3, expected)
    if code != "file_error":
        assert json.loads(logged_in.run(*words, "--json").stderr)["error"]["code"] == code
    assert owed.events == []


def test_the_command_pays_as_many_bills_as_the_contract_allows() -> None:
    schemas = parse(SOURCE.read_text("utf-8"))["components"]["schemas"]
    assert schemas["PaymentRequest"]["properties"]["bills_id"]["maxItems"] == pay.MAX_BILLS


TROUBLES: dict[str, Callable[[FaultyTransport], object]] = {
    "none": lambda _: None,
    "failing": lambda wire: wire.service.failing.update(utils=Unavailable("database: down")),
    "busy": lambda wire: wire.faults.append(Fault("status", "POST", status=429, retry_after=77)),
    "silent": lambda wire: wire.service.silent.add("utils"),
    "session ended": lambda wire: wire.service.identity.expire_tokens(refresh_too=True),
    "no connection": lambda wire: wire.faults.append(Fault("no_connection", times=99)),
}


@pytest.mark.parametrize(
    ("trouble", "words", "code", "advice"),
    [
        ("none", ["debts", "--apartment", str(NOBODYS)], 3, ["billing apartments"]),
        ("none", ["debts", "--url", "http://elsewhere.test"], 6, ["http://elsewhere.test"]),
        ("failing", ["debts"], 4, ["Try again in a minute", "request id"]),
        ("busy", ["debts"], 4, ["Try again in 77 seconds"]),
        ("silent", ["debts", "--timeout", "0.3"], 5, ["longer --timeout"]),
        ("session ended", ["debts"], 6, ["Your login has expired", "billing login"]),
        ("no connection", ["debts"], 7, ["http://billing.test", "BILLING_URL"]),
    ],
)
def test_trouble_ends_with_its_code_and_advice(
    logged_in: Billing,
    wire: FaultyTransport,
    trouble: str,
    words: list[str],
    code: int,
    advice: list[str],
) -> None:
    TROUBLES[trouble](wire)
    ends(logged_in.run(*words), code, *advice)


@pytest.mark.parametrize("words", [["debts"], ["apartments"], ["history"], ["pay", "--all"]])
def test_everything_without_a_login_ends_with_6(billing: Billing, words: list[str]) -> None:
    ends(billing.run(*words), 6, "Run `billing login`.")


def test_errors_as_json_are_on_stderr_only(logged_in: Billing, service: BillingService) -> None:
    service.failing["utils"] = RuntimeError("a bug")
    result = logged_in.run("debts", "--json")
    error = json.loads(result.stderr)["error"]
    assert (error["code"], error["exit_code"], result.exit_code) == ("internal_error", 4, 4)
    assert error["advice"]
    assert result.stdout == ""

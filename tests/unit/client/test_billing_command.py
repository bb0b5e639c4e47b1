"""What the billing command shows and does when all goes well."""

from __future__ import annotations

import codecs
import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from billing_client.serialization import format_instant

from billing_app.domain.bills import Provider
from tests.support.billing_service import BillingService, FaultyTransport, Residency
from tests.support.bills import a_debt
from tests.unit.client.billing_runs import Billing
from tools.local.gateway.document import SOURCE, parse

# Gas for two months, one of them late, and water for one.
BILLS = (
    a_debt(month=9, due_on=date(2026, 10, 20)),
    a_debt(),
    a_debt(utility="water", provider=Provider("aqua", "Aqua Works"), amount_minor=123456),
)


@pytest.fixture
def owed(apartment: Residency) -> Residency:
    apartment.owes(*BILLS)
    return apartment


def paid(apartment: Residency) -> list[str]:
    return [str(event.bill.bill_id) for event in apartment.events]


def test_login_greets_and_lists_the_apartments(billing: Billing, apartment: Residency) -> None:
    shown = billing.login()
    assert "Logged in as Ada." in shown
    assert f"{apartment.apartment_id[:4]} street" in shown
    assert apartment.apartment_id in shown


def test_the_password_may_come_from_the_environment_or_a_prompt(billing: Billing) -> None:
    assert "Ada" in billing.ok("login", "ada", answers="secret\n")
    billing.env["BILLING_PASSWORD"] = "secret"
    assert "Ada" in billing.ok("login", "ada")


@pytest.mark.parametrize(
    ("words", "answers"),
    [(["--password-stdin"], "secret\nbetter\n"), ([], "secret\nbetter\nbetter\n")],
    ids=["from stdin", "at the prompt, twice"],
)
def test_a_new_password_is_read_where_the_service_requires_one(
    billing: Billing, service: BillingService, words: list[str], answers: str
) -> None:
    service.identity.must_change.add("ada")
    result = billing.run("login", "ada", *words, answers=answers)
    assert result.exit_code == 0
    assert "better" not in result.output
    assert service.identity.users["ada"][0] == "better"


def test_apartments_can_be_refreshed(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    second = service.add_apartment(apartment.subject)
    assert second.apartment_id not in logged_in.ok("apartments")
    assert second.apartment_id in logged_in.ok("apartments", "--refresh")
    assert [a["number"] for a in logged_in.json("apartments")["apartments"]] == [1, 2]


def test_debts_show_each_bill_and_the_totals_by_utility(
    logged_in: Billing, owed: Residency
) -> None:
    lines = logged_in.ok("debts").splitlines()
    assert any("2026-09" in line and "33 days" in line and "51.40 EUR" in line for line in lines)
    totals = {line.split()[0]: line.split()[-2:] for line in lines if line.endswith(" EUR")}
    assert totals["gas"] == ["102.80", "EUR"]
    assert totals["water"] == ["1,234.56", "EUR"]
    assert totals["Total"] == ["1,337.36", "EUR"]


def test_amounts_of_all_currencies_line_up(logged_in: Billing, apartment: Residency) -> None:
    amounts = [(5140, "EUR"), (150000, "JPY"), (1234, "KWD")]
    for day, (minor, currency) in enumerate(amounts, start=1):
        apartment.owes(a_debt(amount_minor=minor, currency=currency, due_on=date(2026, 12, day)))
    shown = logged_in.ok("debts").splitlines()[1:4]
    assert "51.40  EUR" in shown[0]
    assert "150,000     JPY" in shown[1]
    assert "1.234 KWD" in shown[2]
    columns = {line.index(code) for line, (_, code) in zip(shown, amounts, strict=True)}
    assert len(columns) == 1


def test_debts_as_json_keep_their_shape(logged_in: Billing, owed: Residency) -> None:
    found = logged_in.json("debts")
    assert sorted(found) == [
        "apartment_id", "as_of", "by_period", "by_provider", "by_utility", "debts",
            "former_residents_debts", "time_zone",
            "today", "totals",
        "version",
    ]  # fmt: skip
    contract = parse(SOURCE.read_text("utf-8"))["components"]["schemas"]["Debt"]
    assert sorted(found["debts"][0]) == sorted(contract["properties"])
    assert found["by_utility"] == [
        {"utility": "gas", "bills": 2, "total_minor": 10280, "currency": "EUR"},
        {"utility": "water", "bills": 1, "total_minor": 123456, "currency": "EUR"},
    ]
    assert found["by_period"][0]["period"] == {"from": "2026-09-01", "to": "2026-09-30"}


def test_nothing_owed_is_said(logged_in: Billing) -> None:
    assert "Nothing is owed." in logged_in.ok("debts")
    assert "Nothing is owed." in logged_in.ok("pay", "--all")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--all"], {0, 1, 2}),
        (["--utility", "GAS"], {0, 1}),
        (["--utility", "gas", "--period", "2026-10"], {1}),
        (["--utility", "gas", "--utility", "water", "--period", "2026-10"], {1, 2}),
        (["--provider", "aqua works"], {2}),
        (["--provider", "aqua"], {2}),
        (["--period", "2026-09", "--period", "2026-10"], {0, 1, 2}),
        (["--bill", str(BILLS[0].bill_id)[:13]], {0}),
    ],
)
def test_options_select_the_bills_to_pay(
    logged_in: Billing, owed: Residency, options: list[str], expected: set[int]
) -> None:
    shown = logged_in.ok("pay", *options, "--yes")
    assert set(paid(owed)) == {str(BILLS[number].bill_id) for number in expected}
    assert "Paid." in shown
    assert "Receipt R-2026-0000000001" in shown


@pytest.mark.parametrize(
    ("answer", "code", "told", "paid_bills"),
    [("y", 0, "Paid.", 2), ("n", 1, "Nothing was paid.", 0)],
)
def test_pay_shows_the_total_and_asks(
    logged_in: Billing, owed: Residency, answer: str, code: int, told: str, paid_bills: int
) -> None:
    result = logged_in.run("pay", "--utility", "gas", answers=f"{answer}\n")
    assert "Total: 102.80 EUR for 2 bills." in result.output
    assert told in result.output
    assert (result.exit_code, len(paid(owed))) == (code, paid_bills)


def test_pay_as_json_asks_on_stderr_and_answers_on_stdout(
    logged_in: Billing, owed: Residency
) -> None:
    result = logged_in.run("pay", "--all", "--json", answers="y\n")
    assert "Pay now?" in result.stderr
    found = json.loads(result.stdout)
    assert sorted(found) == ["cancelled", "receipt", "resumed"]
    assert found["receipt"]["total_minor"] == 133736
    assert len(found["receipt"]["lines"]) == 3


def test_history_is_stored_and_fetched_by_difference(
    logged_in: Billing, service: BillingService, wire: FaultyTransport, owed: Residency
) -> None:
    logged_in.ok("pay", "--utility", "gas", "--yes")
    assert "Total paid: 102.80 EUR." in logged_in.ok("history")
    logged_in.ok("pay", "--all", "--yes")
    assert "Total paid: 1,337.36 EUR." in logged_in.ok("history")
    first, second = (json.loads(request.content) for request in wire.sent("POST", "histories"))
    assert (first["date_up"], second["date_up"] is None) == (None, False)
    service.identity.expire_tokens(refresh_too=True)
    assert "1,234.56 EUR" in logged_in.ok("history", "--offline")


@pytest.mark.parametrize(
    ("by", "headings", "sizes"),
    [
        ("utility", ["gas: 102.80 EUR", "water: 1,234.56 EUR"], [2, 1]),
        ("provider", ["Aqua Works: 1,234.56 EUR", "North Gas: 102.80 EUR"], [1, 2]),
        ("period", ["2026-09: 51.40 EUR", "2026-10: 1,285.96 EUR"], [1, 2]),
        (
            "payment",
            ["Receipt R-2026-0000000001: 102.80 EUR", "Receipt R-2026-0000000002: 1,234.56 EUR"],
            [2, 1],
        ),
    ],
)
def test_history_can_be_grouped(
    logged_in: Billing, apartment: Residency, by: str, headings: list[str], sizes: list[int]
) -> None:
    apartment.pays(*BILLS[:2])
    apartment.pays(BILLS[2])
    shown = logged_in.ok("history", "--by", by).splitlines()
    assert [line for line in shown if line.endswith(" EUR") and ": " in line] == headings
    groups = logged_in.json("history", "--by", by)["groups"]
    assert [len(group["events"]) for group in groups] == sizes


def test_a_reversal_is_subtracted(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    apartment.pays(BILLS[2])
    service.ledger.reverse_payment(payment_id=apartment.events[0].payment_id)
    shown = logged_in.ok("history")
    assert "-1,234.56 EUR" in shown
    assert "Total paid: 0.00 EUR." in shown
    found = logged_in.json("receipt", "R-2026-0000000001")
    assert found["reversed_at"] == format_instant(apartment.events[1].posted_at)
    assert "Reversed 2026-01-01" in logged_in.ok("receipt", "r-2026-0000000001", "--offline")


def test_a_receipt_is_found_in_any_apartment(
    logged_in: Billing, service: BillingService, apartment: Residency
) -> None:
    second = service.add_apartment(apartment.subject)
    logged_in.ok("apartments", "--refresh")
    apartment.pays(*BILLS)
    second.pays(a_debt(amount_minor=777))
    assert "7.77 EUR" in logged_in.ok("receipt", "R-2026-0000000002")
    assert len(logged_in.json("receipt", "R-2026-0000000001")["lines"]) == 3


def test_csv_goes_to_stdout_or_a_file(
    logged_in: Billing, apartment: Residency, tmp_path: Path
) -> None:
    apartment.pays(*BILLS)
    rows = list(csv.DictReader(io.StringIO(logged_in.ok("history", "--csv"))))
    assert sorted(row["amount"] for row in rows) == ["1234.56", "51.40", "51.40"]
    file = tmp_path / "paid.csv"
    assert "3 rows written" in logged_in.ok("history", "--csv", str(file), "--by", "utility")
    assert file.read_bytes().startswith(codecs.BOM_UTF8)
    written = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert written == sorted(rows, key=lambda row: row["utility"])


@pytest.mark.parametrize("name", ["=1+1", "@cmd", "+7", "-2", " =x", "\t=x", "＝1"])  # noqa: RUF001
def test_no_cell_of_a_csv_is_a_formula(logged_in: Billing, apartment: Residency, name: str) -> None:
    apartment.pays(a_debt(provider=Provider(name, name)))
    (row,) = csv.DictReader(io.StringIO(logged_in.ok("history", "--csv")))
    assert row["provider"].startswith("'")
    assert row["provider_id"].startswith("'")


@pytest.mark.parametrize(
    "words", [[], ["login"], ["debts"], ["pay"], ["history"], ["receipt"], ["apartments"]]
)
def test_help_has_examples(billing: Billing, words: list[str]) -> None:
    assert "billing " in billing.ok(*words, "--help").split("Example")[1]

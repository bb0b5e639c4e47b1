"""What the billing command shows and does when all goes well."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.fake_api import FakeApi
from tests.support.fake_ledger import FakeApartment, FakeUser, bill, month
from tests.unit.client.billing_runs import Billing


@pytest.fixture
def owed(flat: FakeApartment) -> FakeApartment:
    """An apartment that owes gas for two months, one of them late, and water for one."""
    water = {"provider_id": "aqua", "name": "Aqua Works"}
    flat.debts = [
        bill(period=month(2026, 9), days_overdue=33, due_on="2026-10-20"),
        bill(period=month(2026, 10)),
        bill(utility="water", provider=water, period=month(2026, 10), amount_minor=123456),
    ]
    return flat


def ids(flat: FakeApartment) -> list[str]:
    return [debt["bill_id"] for debt in flat.debts]


def test_login_greets_and_lists_the_apartments(billing: Billing, flat: FakeApartment) -> None:
    shown = billing.login()
    assert "Logged in as Ada." in shown
    assert "1 Mill Lane" in shown
    assert flat.apartment_id in shown


def test_the_password_may_come_from_the_environment_or_a_prompt(
    billing: Billing, flat: FakeApartment
) -> None:
    assert "Ada" in billing.ok("login", "ada", answers="secret\n")
    billing.env["BILLING_PASSWORD"] = "secret"
    assert "Ada" in billing.ok("login", "ada")


def test_a_new_password_is_read_from_the_second_line(
    billing: Billing, ada: FakeUser, flat: FakeApartment
) -> None:
    ada.needs_new_password = True
    billing.ok("login", "ada", "--password-stdin", answers="secret\nbetter\n")
    assert ada.password == "better"


def test_a_new_password_is_asked_for_twice(
    billing: Billing, ada: FakeUser, flat: FakeApartment
) -> None:
    ada.needs_new_password = True
    result = billing.run("login", "ada", answers="secret\nbetter\nbetter\n")
    assert result.exit_code == 0
    assert "better" not in result.output
    assert ada.password == "better"


def test_apartments_can_be_fetched_anew(at_home: Billing, api: FakeApi, ada: FakeUser) -> None:
    api.ledger.add_apartment(ada, "Вулиця Лісова, 2")
    assert "Лісова" not in at_home.ok("apartments")
    assert "Вулиця Лісова, 2" in at_home.ok("apartments", "--refresh")
    assert [a["number"] for a in at_home.json("apartments")["apartments"]] == [1, 2]


def test_debts_show_each_bill_and_the_totals_by_utility(
    at_home: Billing, owed: FakeApartment
) -> None:
    lines = at_home.ok("debts").splitlines()
    assert any("2026-09" in line and "33 days" in line and "51.40 EUR" in line for line in lines)
    totals = {line.split()[0]: line.split()[-2:] for line in lines if line.endswith(" EUR")}
    assert totals["gas"] == ["102.80", "EUR"]
    assert totals["water"] == ["1,234.56", "EUR"]
    assert totals["Total"] == ["1,337.36", "EUR"]


def test_amounts_of_all_currencies_line_up(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [
        bill(amount_minor=5140, currency="EUR"),
        bill(amount_minor=150000, currency="JPY"),
        bill(amount_minor=1234, currency="KWD"),
    ]
    shown = at_home.ok("debts").splitlines()[1:4]
    assert "51.40  EUR" in shown[0]
    assert "150,000     JPY" in shown[1]
    assert "1.234 KWD" in shown[2]
    assert len({line.index(code) for line, code in zip(shown, _CODES, strict=True)}) == 1


_CODES = ("EUR", "JPY", "KWD")


def test_debts_as_json_keep_their_shape(at_home: Billing, owed: FakeApartment) -> None:
    found = at_home.json("debts")
    assert sorted(found) == [
        "apartment_id", "as_of", "by_period", "by_provider", "by_utility", "debts", "totals",
        "version",
    ]  # fmt: skip
    assert sorted(found["debts"][0]) == [
        "amount_minor", "bill_id", "currency", "days_overdue", "due_on", "period", "provider",
        "utility",
    ]  # fmt: skip
    assert found["by_utility"] == [
        {"utility": "gas", "bills": 2, "total_minor": 10280, "currency": "EUR"},
        {"utility": "water", "bills": 1, "total_minor": 123456, "currency": "EUR"},
    ]
    assert found["by_period"][0]["period"] == {"from": "2026-09-01", "to": "2026-09-30"}


def test_nothing_owed_is_said(at_home: Billing, flat: FakeApartment) -> None:
    assert "Nothing is owed." in at_home.ok("debts")
    assert "Nothing is owed." in at_home.ok("pay", "--all")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (["--all"], {0, 1, 2}),
        (["--utility", "GAS"], {0, 1}),
        (["--utility", "gas", "--period", "2026-10"], {1}),
        (["--utility", "gas", "--utility", "water", "--period", "2026-10"], {1, 2}),
        (["--provider", "aqua works"], {2}),
        (["--provider", "aqua"], {2}),
        (["--period", "2026-09", "--period", "2026-10"], {0, 1, 2}),
    ],
)
def test_options_choose_what_is_paid(
    at_home: Billing, owed: FakeApartment, choice: list[str], expected: set[int]
) -> None:
    known = ids(owed)
    at_home.ok("pay", *choice, "--yes")
    assert {known.index(event["bill_id"]) for event in owed.events} == expected


def test_a_bill_is_chosen_by_the_start_of_its_id(at_home: Billing, owed: FakeApartment) -> None:
    first = ids(owed)[0]
    shown = at_home.ok("pay", "--bill", first[:13], "--yes")
    assert [event["bill_id"] for event in owed.events] == [first]
    assert "Paid." in shown
    assert "Receipt R-000000" in shown


def test_pay_shows_the_total_and_asks(at_home: Billing, owed: FakeApartment) -> None:
    shown = at_home.ok("pay", "--utility", "gas", answers="y\n")
    assert "Total: 102.80 EUR for 2 bills." in shown
    assert len(owed.events) == 2


def test_a_no_pays_nothing(at_home: Billing, owed: FakeApartment) -> None:
    result = at_home.run("pay", "--all", answers="n\n")
    assert result.exit_code == 1
    assert "Nothing was paid." in result.output
    assert owed.events == []


def test_pay_as_json_talks_on_stderr_and_answers_on_stdout(
    at_home: Billing, owed: FakeApartment
) -> None:
    result = at_home.run("pay", "--all", "--json", answers="y\n")
    assert "Pay now?" in result.stderr
    found = json.loads(result.stdout)
    assert sorted(found) == ["cancelled", "receipt", "resumed"]
    assert found["receipt"]["total_minor"] == 133736
    assert len(found["receipt"]["lines"]) == 3


def test_history_is_kept_and_fetched_by_difference(
    at_home: Billing, api: FakeApi, owed: FakeApartment
) -> None:
    at_home.ok("pay", "--utility", "gas", "--yes")
    assert "Total paid: 102.80 EUR." in at_home.ok("history")
    at_home.ok("pay", "--all", "--yes")
    assert "Total paid: 1,337.36 EUR." in at_home.ok("history")
    first, second = (request.body for request in api.calls("POST", "histories"))
    assert (first["date_up"], second["date_up"] is None) == (None, False)
    api.expire_tokens(refresh_too=True)
    assert "1,234.56 EUR" in at_home.ok("history", "--offline")


@pytest.mark.parametrize("by", ["utility", "provider", "period", "payment"])
def test_history_is_grouped_as_asked(at_home: Billing, owed: FakeApartment, by: str) -> None:
    at_home.ok("pay", "--utility", "gas", "--yes")
    at_home.ok("pay", "--all", "--yes")
    headings = {
        "utility": ["gas: 102.80 EUR", "water: 1,234.56 EUR"],
        "provider": ["Aqua Works: 1,234.56 EUR", "North Gas: 102.80 EUR"],
        "period": ["2026-09: 51.40 EUR", "2026-10: 1,285.96 EUR"],
        "payment": ["Receipt R-000000: 102.80 EUR", "Receipt R-000001: 1,234.56 EUR"],
    }
    shown = at_home.ok("history", "--by", by).splitlines()
    assert [line for line in shown if line.endswith(" EUR") and ": " in line] == headings[by]
    groups = at_home.json("history", "--by", by)["groups"]
    sizes = [len(group["events"]) for group in groups]
    assert sizes == ([1, 2] if by in ("provider", "period") else [2, 1])


def test_a_reversal_counts_against(at_home: Billing, owed: FakeApartment) -> None:
    at_home.ok("pay", "--utility", "water", "--yes")
    owed.post(**{**owed.events[0], "event": "reversal"})
    shown = at_home.ok("history")
    assert "-1,234.56 EUR" in shown
    assert "Total paid: 0.00 EUR." in shown
    kept = at_home.json("receipt", "R-000000")
    assert kept["reversed_at"] == owed.events[1]["posted_at"]
    assert "Reversed 2026-01-01" in at_home.ok("receipt", "r-000000", "--offline")


def test_a_receipt_is_found_in_any_apartment(
    at_home: Billing, api: FakeApi, ada: FakeUser, owed: FakeApartment
) -> None:
    second = api.ledger.add_apartment(ada, "2 Mill Lane")
    second.debts = [bill(amount_minor=777)]
    at_home.ok("apartments", "--refresh")
    at_home.ok("pay", "--all", "--apartment", "1", "--yes")
    at_home.ok("pay", "--all", "--apartment", second.apartment_id[:13], "--yes")
    assert "7.77 EUR" in at_home.ok("receipt", "R-000001")
    assert len(at_home.json("receipt", "R-000000")["lines"]) == 3


def test_csv_goes_to_stdout_or_a_file(
    at_home: Billing, owed: FakeApartment, tmp_path: Path
) -> None:
    at_home.ok("pay", "--all", "--yes")
    rows = list(csv.DictReader(io.StringIO(at_home.ok("history", "--csv"))))
    assert [row["amount"] for row in rows] == ["51.40", "51.40", "1234.56"]
    file = tmp_path / "paid.csv"
    assert "3 rows written" in at_home.ok("history", "--csv", str(file), "--by", "utility")
    assert list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))) == rows


@pytest.mark.parametrize("name", ["=1+1", "@cmd", "+7", "-2", " =x", "\t=x", "＝1"])  # noqa: RUF001
def test_no_cell_of_a_csv_is_a_formula(at_home: Billing, flat: FakeApartment, name: str) -> None:
    flat.debts = [bill(provider={"provider_id": name, "name": name})]
    at_home.ok("pay", "--all", "--yes")
    (row,) = csv.DictReader(io.StringIO(at_home.ok("history", "--csv")))
    assert row["provider"].startswith("'")
    assert row["provider_id"].startswith("'")


@pytest.mark.parametrize(
    "words", [[], ["login"], ["debts"], ["pay"], ["history"], ["receipt"], ["apartments"]]
)
def test_help_has_examples(billing: Billing, words: list[str]) -> None:
    assert "billing " in billing.ok(*words, "--help").split("Example")[1]

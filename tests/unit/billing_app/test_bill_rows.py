"""Each line of a file of bills is read alone, and tells all that is wrong with it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.admin.bill_files import Header, read_header
from billing_app.admin.formatting import spreadsheet_safe, visible
from billing_app.domain.bill_lines import COLUMNS, Problem, Row
from billing_app.domain.errors import Rejection
from tests.support.bill_files import GOOD, HEADER, bill_line
from tests.support.bills import APARTMENT

COMMAS = Header(tuple(COLUMNS), ",")


def codes(row: Row) -> set[tuple[str | None, str]]:
    return {(one.column, one.code) for one in row.problems}


def test_a_good_line_becomes_a_bill() -> None:
    bill = COMMAS.row(text=bill_line(), line=2).bill
    assert bill is not None
    assert (bill.line, bill.apartment_id, bill.amount_minor) == (2, APARTMENT, 5140)
    assert bill.period_to.isoformat() == "2026-10-31"


def test_columns_may_stand_in_any_order() -> None:
    columns = tuple(reversed(list(COLUMNS)))
    text = ",".join(GOOD[column] for column in columns)
    header = read_header(text=",".join(columns), delimiter=None)
    bill = header.row(text=text, line=2).bill
    assert bill is not None
    assert bill.provider_reference == "G-1"


def test_the_delimiter_is_found_in_the_header() -> None:
    header = read_header(text=HEADER.replace(",", ";"), delimiter=None)
    assert header.delimiter == ";"
    assert header.row(text=bill_line(";"), line=2).bill


@pytest.mark.parametrize(
    ("amount", "amount_minor"),
    [("51,40", 5140), ("1.234,56", 123456), ("1.234", 123400), ("51", 5100), ("51.40", None)],
)
def test_a_continental_line_has_local_dates_and_a_decimal_comma(
    amount: str, amount_minor: int | None
) -> None:
    text = bill_line(
        ";", amount=amount, period_from="1.10.2026", period_to="31.10.2026", due_on="2026-11-15"
    )
    row = Header(tuple(COLUMNS), ";").row(text=text, line=2, profile="continental")
    assert (row.bill and row.bill.amount_minor) == amount_minor
    assert codes(row) == (set() if amount_minor else {("amount", "amount_invalid")})
    if row.bill:
        assert (row.bill.period_from, row.bill.due_on) == (date(2026, 10, 1), date(2026, 11, 15))


def test_all_problems_of_a_line_are_told() -> None:
    text = bill_line(
        apartment_id="12", utility="Gas!", provider_reference="=1+1", due_on="15.11.2026", amount=""
    )
    assert codes(COMMAS.row(text=text, line=2)) == {
        ("apartment_id", "apartment_id_invalid"),
        ("utility", "utility_invalid"),
        ("provider_reference", "formula_rejected"),
        ("due_on", "date_invalid"),
        ("amount", "value_missing"),
    }


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("apartment_id", "", "value_missing"),
        ("apartment_id", "{0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c}", "apartment_id_invalid"),
        ("provider_id", "a b", "provider_id_invalid"),
        ("provider_reference", "@SUM(A1)", "formula_rejected"),
        ("provider_reference", "\uff1dA1", "formula_rejected"),
        ("provider_reference", "-1", "formula_rejected"),
        ("provider_reference", "a\x00b", "control_character"),
        ("provider_reference", "a\x1b[31mb", "control_character"),
        ("provider_reference", "a\u202eb", "control_character"),
        ("provider_reference", "a\u2028b", "control_character"),
        ("provider_reference", "G-1 ", "value_has_spaces"),
        ("provider_reference", "x" * 201, "value_too_long"),
        ("period_from", "2026-02-30", "date_invalid"),
        ("period_from", "20261001", "date_invalid"),
        ("period_to", "2026-09-30", "period_reversed"),
        ("amount", "51,40", "wrong_column_count"),
        ("amount", '"51,40"', "amount_invalid"),
        ("currency", "eur", "currency_unknown"),
        ("currency", "XXX", "currency_unknown"),
        ("utility", '"gas', "line_not_csv"),
    ],
)
def test_a_wrong_cell_has_a_code(column: str, cell: str, code: str) -> None:
    row = COMMAS.row(text=bill_line(**{column: cell}), line=2)
    whole_line = code in ("wrong_column_count", "line_not_csv")
    assert codes(row) == {(None if whole_line else column, code)}
    assert row.bill is None


def test_an_amount_is_judged_even_when_its_currency_is_unknown() -> None:
    row = COMMAS.row(text=bill_line(currency="?", amount="x"), line=2)
    assert codes(row) == {("currency", "currency_unknown"), ("amount", "amount_invalid")}


@given(st.text())
def test_a_reported_cell_is_neither_formula_nor_control(cell: str) -> None:
    safe = spreadsheet_safe(cell)
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))
    assert visible(safe) == safe


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (HEADER.replace("amount", "amount_minor"), "missing: amount; unknown: amount_minor"),
        (HEADER + ",amount", "repeated: amount"),
        ("a|b|c", "missing: apartment_id"),
        ('"a', "missing: apartment_id"),
    ],
)
def test_a_wrong_header_says_what_is_wrong(text: str, detail: str) -> None:
    with pytest.raises(Rejection) as caught:
        read_header(text=text, delimiter=None)
    assert caught.value.code == "header_invalid"
    assert detail in caught.value.for_operator().message


def test_another_delimiter_is_rejected() -> None:
    with pytest.raises(Rejection) as caught:
        read_header(text=HEADER, delimiter="|")
    assert caught.value.code == "delimiter_invalid"


def test_a_code_that_only_a_newer_function_knows_is_shown_as_it_is() -> None:
    assert Problem("from_tomorrow", "amount").message == "amount: from_tomorrow"

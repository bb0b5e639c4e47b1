"""Money, instants and fields."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from billing_client import Money, UnexpectedAnswer
from billing_client.models import minor_unit_exponent, totals
from billing_client.serialization import Fields, format_instant, parse_instant
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.currencies import EXPONENT_OF


@pytest.mark.parametrize(
    ("money", "decimal", "text"),
    [
        (Money(5140, "EUR"), Decimal("51.40"), "51.40 EUR"),
        (Money(-5140, "EUR"), Decimal("-51.40"), "-51.40 EUR"),
        (Money(5140, "JPY"), Decimal(5140), "5,140 JPY"),
        (Money(5140, "KWD"), Decimal("5.140"), "5.140 KWD"),
        (Money(1, "EUR"), Decimal("0.01"), "0.01 EUR"),
        (Money(5140, "XXQ"), None, "5,140 minor units of XXQ"),
        (Money(5140, "XAU"), None, "5,140 minor units of XAU"),
        (Money(9**18, "EUR"), Decimal(9**18) / 100, "1,500,946,352,969,991.21 EUR"),
    ],
)
def test_money_knows_its_minor_unit(money: Money, decimal: Decimal | None, text: str) -> None:
    assert (money.decimal, str(money)) == (decimal, text)


def test_client_and_service_agree_on_the_minor_units_of_all_currencies() -> None:
    assert {code: minor_unit_exponent(code) for code in EXPONENT_OF} == EXPONENT_OF


@given(st.lists(st.builds(Money, st.integers(), st.sampled_from(["EUR", "JPY", "KWD"]))))
def test_currencies_are_never_added(amounts: list[Money]) -> None:
    sums = totals(amounts)
    assert len({total.currency for total in sums}) == len(sums)
    assert sum(total.minor for total in sums) == sum(amount.minor for amount in amounts)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instants_read_back_as_written(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_an_instant_without_offset_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="offset"):
        parse_instant("2026-11-22T10:00:00")


@pytest.mark.parametrize("value", [None, True, "1", 1.5, [], {}])
def test_a_field_of_another_type_is_named(value: object) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"debts\.amount_minor"):
        Fields.of({"amount_minor": value}, "debts").integer("amount_minor")


@pytest.mark.parametrize("value", [None, "yesterday", "2026-13-01", 20261122])
def test_an_invalid_day_is_named(value: object) -> None:
    with pytest.raises(UnexpectedAnswer, match=r"debts\.due_on"):
        Fields.of({"due_on": value}, "debts").day("due_on")

"""Amounts are read and written without a float in between."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.currencies import (
    EXPONENT_OF,
    AmountError,
    major_text,
    minor_units,
)
from billing_app.domain.limits import MAX_AMOUNT_MINOR

amounts = st.integers(1, MAX_AMOUNT_MINOR)
exponents = st.sampled_from([0, 2, 3])


@given(amounts, exponents)
def test_what_is_written_is_read_again_and_has_its_point_in_place(
    amount_minor: int, exponent: int
) -> None:
    text = major_text(amount_minor=amount_minor, exponent=exponent)
    assert minor_units(text=text, exponent=exponent) == amount_minor
    assert Decimal(text).scaleb(exponent) == amount_minor


@given(st.text(max_size=12), exponents)
def test_any_text_is_read_exactly_or_rejected(text: str, exponent: int) -> None:
    try:
        amount_minor = minor_units(text=text, exponent=exponent)
    except AmountError:
        return
    assert Decimal(text).scaleb(exponent) == amount_minor > 0


@pytest.mark.parametrize(
    ("text", "exponent", "amount_minor"),
    [("51.40", 2, 5140), ("51.4", 2, 5140), ("51", 2, 5100), ("51", 0, 51), ("0.001", 3, 1)],
)
def test_missing_decimals_are_zeros(text: str, exponent: int, amount_minor: int) -> None:
    assert minor_units(text=text, exponent=exponent) == amount_minor


@pytest.mark.parametrize(
    ("text", "exponent", "code"),
    [
        ("51,40", 2, "amount_invalid"),
        ("1 000.00", 2, "amount_invalid"),
        ("-1.00", 2, "amount_not_positive"),
        ("+1.00", 2, "amount_invalid"),
        ("1e3", 2, "amount_invalid"),
        ("NaN", 2, "amount_invalid"),
        ("1.", 2, "amount_invalid"),
        (".5", 2, "amount_invalid"),
        ("007", 2, "amount_invalid"),
        ("1.00\n", 2, "amount_invalid"),
        ("٥١", 2, "amount_invalid"),  # noqa: RUF001 - digits, but not ours
        ("51.405", 2, "amount_too_precise"),
        ("51.0", 0, "amount_too_precise"),
        ("0.00", 2, "amount_not_positive"),
        ("10000000000.01", 2, "amount_too_large"),
        ("9" * 40, 2, "amount_invalid"),
    ],
)
def test_a_wrong_amount_has_a_code(text: str, exponent: int, code: str) -> None:
    with pytest.raises(AmountError) as caught:
        minor_units(text=text, exponent=exponent)
    assert caught.value.code == code


def test_negative_sums_are_written_too() -> None:
    assert major_text(amount_minor=-5, exponent=2) == "-0.05"


def test_currencies_with_other_exponents_are_known() -> None:
    assert [EXPONENT_OF[code] for code in ("JPY", "EUR", "KWD")] == [0, 2, 3]

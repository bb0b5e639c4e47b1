"""Money in minor units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from iso4217 import Currency


@dataclass(frozen=True, order=True)
class Money:
    """An amount in the minor units of an ISO 4217 currency (5140 EUR is 51.40 euro)."""

    minor: int
    currency: str

    @property
    def decimal(self) -> Decimal | None:
        """The amount in major units, or None where ISO 4217 knows no minor unit for it."""
        exponent = minor_unit_exponent(self.currency)
        return None if exponent is None else Decimal(self.minor).scaleb(-exponent)

    def __str__(self) -> str:
        return f"{self.amount_text} {self.currency}"

    @property
    def amount_text(self) -> str:
        """The amount with thousands apart, without the currency.

        An unknown currency shows its minor units as such: a wrong point would be a wrong sum.
        """
        value = self.decimal
        return f"{self.minor:,} minor units of" if value is None else f"{value:,f}"


def minor_unit_exponent(currency: str) -> int | None:
    """Return how many decimals a currency has (EUR 2, JPY 0, KWD 3), None if not known."""
    try:
        return Currency(currency).exponent
    except ValueError:
        return None


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Return one sum for each currency, ordered by its code."""
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return tuple(Money(sums[code], code) for code in sorted(sums))

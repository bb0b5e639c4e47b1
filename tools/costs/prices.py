"""Unit prices: what AWS asks for one of each thing, by region, with source and date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("prices.json")


class PriceUnknown(Exception):
    """The table has no such price; the message names what it has."""


@dataclass(frozen=True)
class Step:
    """A part of a price list: `usd` for each unit up to `up_to` units in all (None: no end)."""

    up_to: float | None
    usd: float


@dataclass(frozen=True)
class Price:
    """The price of one thing by region. `confirmed`: a published copy of the price was seen."""

    name: str
    unit: str
    as_of: str
    source: str
    confirmed: bool
    steps: Mapping[str, tuple[Step, ...]]

    def of(self, quantity: float, *, region: str) -> float:
        """Return what `quantity` units cost in US dollars.

        Raises:
            PriceUnknown: the table has no price of this in the region.
        """
        if region not in self.steps:
            known = ", ".join(sorted(self.steps))
            raise PriceUnknown(f"No price of {self.name} in {region}; known: {known}.")
        return _staircase(quantity, self.steps[region])


class Prices:
    """The whole table."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        self._prices = prices

    def __getitem__(self, name: str) -> Price:
        """Return a price by name; raises PriceUnknown."""
        if name not in self._prices:
            raise PriceUnknown(f"{TABLE.name} has no price named {name!r}.")
        return self._prices[name]

    def all(self) -> list[Price]:
        """Return every price, in the order of the table."""
        return list(self._prices.values())


def read_prices(file: Path = TABLE) -> Prices:
    """Read the table."""
    entries = json.loads(file.read_text(encoding="utf-8"))["prices"]
    return Prices({entry["name"]: _price(entry) for entry in entries})


def _price(entry: Mapping[str, object]) -> Price:
    usd = entry["usd"]
    assert isinstance(usd, dict)  # noqa: S101 - the shape of our own file
    return Price(
        name=str(entry["name"]),
        unit=str(entry["unit"]),
        as_of=str(entry["as_of"]),
        source=str(entry["source"]),
        confirmed=bool(entry["confirmed"]),
        steps={region: _steps(value) for region, value in usd.items()},
    )


def _steps(value: float | list[tuple[float | None, float]]) -> tuple[Step, ...]:
    if isinstance(value, list):
        return tuple(Step(up_to, usd) for up_to, usd in value)
    return (Step(None, value),)


def _staircase(quantity: float, steps: tuple[Step, ...]) -> float:
    total, paid = 0.0, 0.0
    for step in steps:
        end = quantity if step.up_to is None else min(quantity, step.up_to)
        total += max(0.0, end - paid) * step.usd
        paid = max(paid, end)
    return total

"""Who lives in the demo and what they were billed: made up, the same on every machine."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from math import cos, pi
from typing import Any

MONTHS = 24
_DAYS_TO_PAY = 20
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.utilities-billing")
# The newest months are still open, so that there is something to pay, some of it overdue.
_OPEN_MONTHS = {"electricity": 3, "gas": 2, "water": 2}
# Minor units in an average month, and by how much of that winter is dearer than summer.
_PRICES = {"electricity": (5200, 0.15), "gas": (7400, 0.7), "water": (2900, 0.05)}


@dataclass(frozen=True)
class Apartment:
    """An apartment, and who supplies it with gas, water and electricity."""

    key: str
    address: str
    gas: str
    water: str
    electricity: str

    @property
    def apartment_id(self) -> str:
        """Its id, which depends on the key alone."""
        return str(uuid.uuid5(_NAMESPACE, f"apartment {self.key}"))

    @property
    def providers(self) -> dict[str, str]:
        """Providers by utility."""
        return {"gas": self.gas, "water": self.water, "electricity": self.electricity}


@dataclass(frozen=True)
class Resident:
    """Somebody who logs in, and the keys of their apartments."""

    username: str
    name: str
    apartments: tuple[str, ...]


PROVIDERS = {
    "city-gas": "City Gas",
    "teplo": "Тепло та Газ",
    "aqua": "Aqua Waterworks",
    "spring": "Świeża Woda",
    "volt": "Volt Electricity",
    "lumen": "Lumen Énergie",
}

APARTMENTS = (
    Apartment("linden-12-4", "12 Linden Street, apt. 4", "city-gas", "aqua", "volt"),
    Apartment("harbour-7-21", "7 Harbour Quay, apt. 21", "teplo", "spring", "lumen"),
    Apartment("mill-3-9", "3 Mill Lane, apt. 9", "city-gas", "spring", "volt"),
    Apartment("garden-88-2", "88 Garden Row, apt. 2", "teplo", "aqua", "lumen"),
)

RESIDENTS = (
    Resident("olena", "Олена Коваленко", ("linden-12-4", "harbour-7-21")),
    Resident("zoe", "Zoë Müller-Łukasik", ("mill-3-9",)),
    Resident("xiaoming", "王小明", ("mill-3-9",)),
    Resident("fatima", "فاطمة الزهراء", ("garden-88-2",)),
)


def apartment_ids(resident: Resident) -> list[str]:
    """Ids of a resident's apartments, in the order of their keys."""
    by_key = {apartment.key: apartment.apartment_id for apartment in APARTMENTS}
    return [by_key[key] for key in resident.apartments]


def months_before(today: date) -> list[date]:
    """First days of the MONTHS complete months before this one, the oldest first."""
    this_month = today.year * 12 + today.month - 1
    months = range(this_month - MONTHS, this_month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def bills_of(apartment: Apartment, today: date) -> list[dict[str, Any]]:
    """All bills of an apartment, as operators import them."""
    months, utilities = months_before(today), apartment.providers.items()
    return [_bill(apartment, *supplied, month) for month in months for supplied in utilities]


def import_of(apartment: Apartment, bills: list[dict[str, Any]]) -> dict[str, str]:
    """What identifies the file of an apartment's bills: the same bills are the same file."""
    digest = hashlib.sha256(repr(bills).encode()).hexdigest()
    return {
        "import_id": str(uuid.uuid5(_NAMESPACE, digest)),
        "file_name": f"demo-{apartment.key}.csv",
        "sha256": digest,
    }


def is_paid_by_now(bill: dict[str, Any], today: date) -> bool:
    """Tell whether a bill belongs to the months that the demo's residents have paid."""
    open_months = _OPEN_MONTHS[bill["utility"]]
    return bool(bill["period_from"] < months_before(today)[-open_months].isoformat())


def _bill(apartment: Apartment, utility: str, provider: str, month: date) -> dict[str, Any]:
    reference = f"demo-{apartment.key}-{utility}-{month:%Y-%m}"
    last_day = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return {
        "apartment_id": apartment.apartment_id,
        "utility": utility,
        "provider_id": provider,
        "provider_reference": reference,
        "period_from": month.isoformat(),
        "period_to": last_day.isoformat(),
        "due_on": (last_day + timedelta(days=_DAYS_TO_PAY)).isoformat(),
        "amount_minor": _amount_minor(utility, month, reference),
        "currency": "EUR",
    }


def _amount_minor(utility: str, month: date, reference: str) -> int:
    average, swing = _PRICES[utility]
    season = 1 + swing * cos((month.month - 1) / 12 * 2 * pi)
    # Two bills are rarely alike; the digits come from the reference, the same everywhere.
    cents = int(hashlib.sha256(reference.encode()).hexdigest(), 16) % 500
    return round(average * season) + cents

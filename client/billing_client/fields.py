"""Reading of JSON objects that come from outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NoReturn

from billing_client.errors import UnexpectedAnswer


@dataclass(frozen=True)
class Fields:
    """A JSON object whose fields are checked as they are read.

    Fields that nobody reads are ignored, so that the service may add some. A field that is
    missing or of another type raises UnexpectedAnswer, which names it.
    """

    values: dict[str, object]
    name: str

    @classmethod
    def of(cls, value: object, name: str) -> Fields:
        if not isinstance(value, dict):
            raise UnexpectedAnswer(f"The service's answer has no proper {name}.")
        return cls(value, name)

    def has(self, field: str) -> bool:
        return self.values.get(field) is not None

    def text(self, field: str) -> str:
        value = self.values.get(field)
        return value if isinstance(value, str) else self._reject(field)

    def optional_text(self, field: str) -> str | None:
        return self.text(field) if self.has(field) else None

    def whole(self, field: str) -> int:
        value = self.values.get(field)
        fits = isinstance(value, int) and not isinstance(value, bool)
        return value if fits and isinstance(value, int) else self._reject(field)

    def flag(self, field: str) -> bool:
        value = self.values.get(field)
        return value if isinstance(value, bool) else self._reject(field)

    def day(self, field: str) -> date:
        try:
            return date.fromisoformat(self.text(field))
        except ValueError:
            return self._reject(field)

    def instant(self, field: str) -> datetime:
        try:
            return parse_instant(self.text(field))
        except ValueError:
            return self._reject(field)

    def inner(self, field: str) -> Fields:
        return Fields.of(self.values.get(field), f"{self.name}.{field}")

    def items(self, field: str) -> Iterator[Fields]:
        found = self.values.get(field)
        if not isinstance(found, list):
            self._reject(field)
        else:
            yield from (Fields.of(item, f"{self.name}.{field}") for item in found)

    def _reject(self, field: str) -> NoReturn:
        raise UnexpectedAnswer(f"The service's answer has no proper {self.name}.{field}.")


def parse_instant(text: str) -> datetime:
    """Return a UTC datetime from ISO 8601 text; raises ValueError if there is no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Return the contract's spelling: UTC with microseconds and Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Instants as the contract writes them: UTC, microseconds, `Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# The smallest step between two posting instants of an apartment.
TICK = timedelta(microseconds=1)

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")


def format_instant(instant: datetime) -> str:
    """Write an aware instant as `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with its offset; raise `ValueError` for anything else."""
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("not an ISO 8601 instant with an offset")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of the range of instants") from error

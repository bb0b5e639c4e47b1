"""The time, passed in, and the days it is divided into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

# Returns the current instant, aware, in UTC.
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day as the deployment counts days: in one time zone (IANA), wherever a resident is."""

    day: date
    time_zone: str


# Returns the day that an aware instant belongs to.
Calendar = Callable[[datetime], CalendarDay]

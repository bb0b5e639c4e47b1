"""The time, passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

# Returns the current instant, aware, in UTC.
Clock = Callable[[], datetime]

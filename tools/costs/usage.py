"""The usage model: how often a resident does what, and what one request sets in motion.

All assumptions are here. Times were measured on one machine or are generous guesses; compare them
with the dashboard once there is one, and change them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOURS = 730.0
"""Hours of a month."""


@dataclass(frozen=True)
class Usage:
    """Means for each resident and month, unless something else is said."""

    active_share: float = 0.8
    """Share of the residents who log in at all: Cognito counts these."""

    operations: Mapping[str, float] = field(
        default_factory=lambda: {"auth": 6.0, "utils": 8.0, "histories": 5.0, "payments": 2.0}
    )
    """Requests by operation. `auth` counts logins and renewals of tokens; a payment has 3 bills."""

    polls_per_operation: float = 1.3
    """GETs until a reply is there: one long poll is enough unless the queue is new or busy."""

    preflights_per_operation: float = 0.5
    """OPTIONS requests of browsers, which may remember one for a while."""

    sessions: float = 4.0
    """Times that a resident opens the app; each makes a login queue and a reply queue."""

    bills: float = 3.0
    """Bills imported."""

    seconds: Mapping[str, float] = field(
        default_factory=lambda: {"auth": 0.6, "utils": 0.05, "histories": 0.08, "payments": 0.05}
    )
    """Seconds of a function for one request, by operation."""

    cold_share: float = 0.03
    """Share of requests that meet a function which has to start first."""

    cold_seconds: float = 1.5
    """Seconds that a start takes."""

    response_kilobytes: float = 4.0
    """Kilobytes that the API sends for one request, headers included."""

    function_log_bytes: float = 1_100.0
    """Log of a function for one request: our line, and three of Lambda's."""

    access_log_bytes: float = 450.0
    """Log of the gateway for one request."""

    flow_log_bytes: float = 1_500.0
    """Flow logs for one operation: connections to endpoints, database and cache."""

    log_months: float = 12.0
    """How long logs are kept: a steady state stores this many months' worth."""

    traced_share: float = 0.05
    """Share of requests that X-Ray records."""

    books_kilobytes: float = 2.5
    """What one bill with its payment adds to the database for ever, indexes included."""

    books_months: float = 24.0
    """Age of the books for which storage and backups are computed."""

    backup_sizes: float = 1.5
    """Backups of two weeks, in sizes of what is stored; one size is free."""


@dataclass(frozen=True)
class Inventory:
    """What each deployment has, however few residents. A test counts them in terraform/."""

    endpoints: int = 3
    keys: int = 1
    secrets: int = 5
    dashboards: int = 1
    firewall_rules: int = 5
    alarms_per_function: int = 2
    alarms_per_queue_function: int = 2
    alarms_per_quick_function: int = 1
    """Functions whose duration is watched: all but the operators'."""
    alarms_per_dead_letter_queue: int = 1
    alarms_per_cache_node: int = 2
    alarms_of_their_own: int = 7
    gateway_metrics: int = 5
    idle_pollers: int = 5
    """Long polls that an event source mapping keeps open when nothing comes."""
    sweeps_per_hour: float = 12.0


IDLE_POLLS = HOURS * 3600 / 20
"""Empty receives of one poller in a month, 20 seconds each."""

"""How long the server lets a session of each role be.

The same numbers go two ways: a direct connection asks for them when it opens, and a migration sets
them on the roles, for connections that can't ask (behind RDS Proxy) or don't (psql).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Milliseconds for one statement, for waiting for a lock, for resting in a transaction."""

    statement: int
    lock: int
    idle_in_transaction: int

    def settings(self) -> dict[str, str]:
        """Return them by the names that Postgres knows them under."""
        return {
            "statement_timeout": f"{self.statement}ms",
            "lock_timeout": f"{self.lock}ms",
            "idle_in_transaction_session_timeout": f"{self.idle_in_transaction}ms",
        }


# A resident waits for no statement longer than this.
_RESIDENTS = Timeouts(statement=4_000, lock=2_000, idle_in_transaction=5_000)
# A large batch of bills or a reconciliation of years takes longer.
_OPERATORS = Timeouts(statement=60_000, lock=2_000, idle_in_transaction=5_000)

_BY_ROLE: Mapping[str, Timeouts] = {
    "billing_writer": _RESIDENTS,
    "billing_reader": _RESIDENTS,
    "billing_operator": _OPERATORS,
}


def timeouts_of(role: str) -> Timeouts:
    """Return a role's timeouts; a role that is none of the service's has the operators'."""
    return _BY_ROLE.get(role, _OPERATORS)

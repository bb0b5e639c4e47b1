"""The registry of reply queues."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.ledger import Ledger


@pytest.fixture
def name() -> str:
    return f"queue-{uuid4().hex}"


def expired(ledger: Ledger, limit: int = 1000) -> list[str]:
    return [name for name, _ in ledger.rows("writer", "expired_reply_queues", limit)]


def register(ledger: Ledger, name: str, *lifetimes: str) -> None:
    for lifetime in lifetimes:
        ledger.ask("reader", "register_reply_queue", name, uuid4(), lifetime)


@pytest.mark.parametrize(
    ("lifetimes", "over"),
    [
        (["-1 second"], True),
        (["1 hour"], False),
        (["-1 second", "1 hour"], False),
        (["1 hour", "-1 second"], False),
    ],
)
def test_a_queue_expires_after_its_lifetime_which_only_gets_longer(
    ledger: Ledger, name: str, lifetimes: list[str], over: bool
) -> None:
    register(ledger, name, *lifetimes)
    assert (name in expired(ledger)) == over


def test_the_longest_overdue_come_first_and_at_most_as_many_as_asked_for(
    ledger: Ledger, name: str
) -> None:
    for days in range(1000, 1003):
        register(ledger, f"{name}-{days}", f"-{days} days")
    assert expired(ledger, limit=2) == [f"{name}-1002", f"{name}-1001"]

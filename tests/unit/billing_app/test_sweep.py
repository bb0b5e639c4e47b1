"""The sweeper deletes only if prefix, registry, age and emptiness all say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from billing_app.adapters.reply_queues import reply_queue
from billing_app.ports.reply_queues import ReplyAddress
from billing_app.use_cases.sweep import MINIMUM_AGE, SweepReport, sweep_reply_queues
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeReplyQueues

DELETED, KEPT, UNTOUCHED = SweepReport(1, 0, 0), SweepReport(0, 1, 0), SweepReport(0, 0, 0)
LONG = timedelta(days=2)


class Fixture:
    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.queues = FakeReplyQueues(self.ledger.clock)

    def queue(self, *, prefix: str = "bill-test", registered: bool = True, left: int = 0) -> str:
        subject, queue_name = uuid4(), uuid4()
        name = reply_queue(prefix=prefix, subject=subject, queue_name=queue_name)
        self.queues.prefix = prefix
        address = ReplyAddress(queue_name, subject, timedelta(minutes=15))
        self.queues.send(address, ["{}"] * left)
        self.queues.prefix = "bill-test"
        if registered:
            lifetime = timedelta(hours=24)
            self.ledger.register_reply_queue(name=name, subject=subject, lifetime=lifetime)
        return name

    def sweep_after(self, age: timedelta) -> SweepReport:
        self.ledger.clock.advance(age)
        return sweep_reply_queues(registry=self.ledger, queues=self.queues)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


@pytest.mark.parametrize(
    ("queue", "age", "report"),
    [
        ({}, LONG, DELETED),
        ({"left": 1}, LONG, KEPT),
        ({}, timedelta(hours=23), UNTOUCHED),
        ({"registered": False}, timedelta(0), KEPT),
        ({"registered": False}, MINIMUM_AGE, DELETED),
        ({"prefix": "bill-prod"}, LONG, UNTOUCHED),
    ],
    ids=["expired", "with a message", "not expired", "in the making", "orphan", "of a stage"],
)
def test_a_queue_goes_that_is_expired_or_an_orphan_and_empty(
    fixture: Fixture, queue: dict[str, Any], age: timedelta, report: SweepReport
) -> None:
    name = fixture.queue(**queue)
    assert fixture.sweep_after(age) == report
    assert (name in fixture.queues.messages) == (report != DELETED)
    assert not (report == DELETED and fixture.ledger.is_registered(name=name))


def test_the_sweeper_never_throws_when_sqs_is_down(fixture: Fixture) -> None:
    fixture.queue()
    fixture.queues.down = True
    assert fixture.sweep_after(LONG) == SweepReport(deleted=0, kept=0, failed=1)


@pytest.mark.parametrize("subject", [uuid4(), None])
def test_names_fit_into_what_sqs_allows(subject: object) -> None:
    assert len(reply_queue(prefix="x" * 12, subject=subject, queue_name=uuid4())) <= 80  # type: ignore[arg-type]

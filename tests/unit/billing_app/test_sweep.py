"""The sweeper deletes only if prefix, registry, age and emptiness all say so."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from billing_app.adapters.queue_names import reply_queue
from billing_app.ports.reply_queues import ReplyAddress
from billing_app.use_cases.sweep import MINIMUM_AGE, SweepReport, sweep_reply_queues
from tests.support.fakes import FakeLedger, FakeReplyQueues

RETENTION = timedelta(minutes=15)
LONG = timedelta(days=2)


class Fixture:
    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.queues = FakeReplyQueues(self.ledger.clock)

    def queue(self, *, prefix: str = "bill-test", registered: bool = True, left: int = 0) -> str:
        address = ReplyAddress(uuid4(), uuid4(), RETENTION)
        name = reply_queue(prefix=prefix, subject=address.subject, queue_name=address.queue_name)
        self.queues.prefix = prefix
        self.queues.send(address, ["{}"] * left)
        self.queues.prefix = "bill-test"
        if registered:
            lifetime = timedelta(hours=24)
            self.ledger.register_reply_queue(name=name, subject=address.subject, lifetime=lifetime)
        return name

    def sweep(self) -> SweepReport:
        return sweep_reply_queues(registry=self.ledger, queues=self.queues)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_an_expired_empty_queue_goes_and_so_does_its_registration(fixture: Fixture) -> None:
    name = fixture.queue()
    fixture.ledger.clock.advance(LONG)
    assert fixture.sweep() == SweepReport(deleted=1, kept=0, failed=0)
    assert (name in fixture.queues.messages, fixture.ledger.is_registered(name=name)) == (
        False,
        False,
    )


def test_a_queue_with_a_message_stays(fixture: Fixture) -> None:
    name = fixture.queue(left=1)
    fixture.ledger.clock.advance(LONG)
    assert fixture.sweep().kept == 1
    assert name in fixture.queues.messages


def test_a_queue_that_has_not_expired_stays(fixture: Fixture) -> None:
    name = fixture.queue()
    fixture.ledger.clock.advance(timedelta(hours=23))
    assert fixture.sweep() == SweepReport(0, 0, 0)
    assert name in fixture.queues.messages


def test_an_orphan_goes_once_it_is_old_enough_not_to_be_in_the_making(fixture: Fixture) -> None:
    name = fixture.queue(registered=False)
    assert fixture.sweep().kept == 1
    fixture.ledger.clock.advance(MINIMUM_AGE)
    assert fixture.sweep().deleted == 1
    assert name not in fixture.queues.messages


def test_queues_of_another_stage_are_never_touched(fixture: Fixture) -> None:
    name = fixture.queue(prefix="bill-prod")
    fixture.ledger.clock.advance(LONG)
    assert fixture.sweep() == SweepReport(0, 0, 0)
    assert name in fixture.queues.messages


def test_the_sweeper_never_throws_when_sqs_is_down(fixture: Fixture) -> None:
    fixture.queue()
    fixture.ledger.clock.advance(LONG)
    fixture.queues.down = True
    assert fixture.sweep() == SweepReport(deleted=0, kept=0, failed=1)


def test_names_fit_into_what_sqs_allows() -> None:
    longest = "x" * 12
    assert len(reply_queue(prefix=longest, subject=uuid4(), queue_name=uuid4())) == 80
    assert len(reply_queue(prefix=longest, subject=None, queue_name=uuid4())) < 80

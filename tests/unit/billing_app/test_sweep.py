"""The sweeper deletes only if prefix, registry and emptiness say so, and nothing stalls it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from billing_app.adapters.reply_queues import reply_queue
from billing_app.domain.errors import Unavailable
from billing_app.ports.reply_queues import FoundQueue
from billing_app.use_cases import sweep
from billing_app.use_cases.sweep import ADOPTED, HOLD, PUT_OFF, SweepReport, sweep_reply_queues
from chalicelib import functions
from chalicelib.bootstrap import AWS, Bootstrap
from chalicelib.settings import Settings
from tests.support.fake_ledger import FakeLedger
from tests.support.fakes import FakeReplyQueues

LONG = timedelta(days=2)
NEXT = timedelta(minutes=5)
A_DAY = timedelta(hours=24)


def report(**counts: int) -> SweepReport:
    return SweepReport(**{"deleted": 0, "kept": 0, "gone": 0, "failed": 0, "adopted": 0, **counts})


class Fixture:
    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.queues = FakeReplyQueues()

    def queue(self, *, prefix: str = "bill-test", registered: bool = True, left: int = 0) -> str:
        name = reply_queue(prefix=prefix, subject=UUID(int=0), queue_name=uuid4())
        self.queues.messages[name] = ["{}"] * left
        if registered:
            self.register(name)
        return name

    def register(self, name: str) -> timedelta | None:
        return self.ledger.register_reply_queue(name=name, subject=None, lifetime=A_DAY)

    def sweep_after(self, age: timedelta) -> SweepReport:
        self.ledger.clock.advance(age)
        now = self.ledger.clock.now
        return sweep_reply_queues(registry=self.ledger, queues=self.queues, now=now)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


@pytest.mark.parametrize(
    ("queue", "age", "counts"),
    [
        ({}, LONG, {"deleted": 1}),
        ({"left": 1}, LONG, {"kept": 1}),
        ({}, timedelta(hours=23), {}),
        ({"prefix": "bill-prod"}, LONG, {}),
    ],
    ids=["expired", "with a message", "not expired", "of a stage"],
)
def test_a_queue_goes_that_is_expired_and_empty(
    fixture: Fixture, queue: dict[str, Any], age: timedelta, counts: dict[str, int]
) -> None:
    name = fixture.queue(**queue)
    assert fixture.sweep_after(age) == report(**counts)
    assert (name in fixture.queues.messages) == ("deleted" not in counts)


def test_a_name_is_free_again_after_sqs_is_done_and_forgotten_by_a_later_sweep(
    fixture: Fixture,
) -> None:
    name = fixture.queue()
    assert fixture.sweep_after(LONG) == report(deleted=1)
    assert fixture.register(name) == HOLD
    assert fixture.sweep_after(HOLD - timedelta(seconds=1)) == report()
    assert fixture.sweep_after(timedelta(seconds=1)) == report(gone=1)
    assert name not in fixture.ledger.queues


def test_a_claim_lasts_longer_than_deleting_a_queue_can_take() -> None:
    sdk: Any = AWS
    longest = (sdk.connect_timeout + sdk.read_timeout) * sdk.retries["total_max_attempts"]
    assert timedelta(seconds=60 + longest) < HOLD


def test_a_queue_that_is_used_again_between_the_look_and_the_claim_stays(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = fixture.queue()
    find = fixture.queues.find

    def find_while_a_reply_comes(asked: str) -> FoundQueue | None:
        found = find(asked)
        fixture.register(asked)
        fixture.queues.messages[asked].append('{"fresh":1}')
        return found

    monkeypatch.setattr(fixture.queues, "find", find_while_a_reply_comes)
    assert fixture.sweep_after(LONG) == report(kept=1)
    assert fixture.queues.messages[name] == ['{"fresh":1}']


def test_a_sweep_that_ended_after_a_claim_is_taken_up_again(fixture: Fixture) -> None:
    name = fixture.queue()
    fixture.ledger.clock.advance(LONG)
    assert fixture.ledger.claim_reply_queue(name=name, hold=HOLD)
    assert fixture.sweep_after(NEXT) == report(deleted=1)


def test_neither_what_fails_nor_what_is_anothers_keeps_the_others_waiting(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "SWEEP_LIMIT", 2)
    first = [fixture.queue(prefix="bill-prod"), fixture.queue(left=1), fixture.queue()]
    fixture.queues.broken.add(first[-1])
    fixture.ledger.clock.advance(timedelta(seconds=1))
    last = fixture.queue()
    assert fixture.sweep_after(LONG) == report(kept=1, failed=1)
    assert fixture.sweep_after(NEXT) == report(deleted=1)
    assert last not in fixture.queues.messages
    fixture.queues.broken.clear()
    monkeypatch.undo()
    assert fixture.sweep_after(PUT_OFF) == report(kept=1, gone=1, deleted=1)


def test_a_queue_that_the_registry_lost_is_found_and_kept_a_day(fixture: Fixture) -> None:
    name = fixture.queue(registered=False)
    sweeps = [fixture.sweep_after(NEXT) for _ in range(16)]
    assert sum(one.adopted for one in sweeps) == 1
    assert sum(one.deleted for one in sweeps) == 0
    fixture.sweep_after(ADOPTED)
    assert name not in fixture.queues.messages


def test_a_sweep_without_registry_or_list_fails(fixture: Fixture) -> None:
    fixture.queue()
    fixture.queues.down = True
    with pytest.raises(Unavailable):
        fixture.sweep_after(LONG)


def test_a_sweep_that_gets_nowhere_fails_its_function(fixture: Fixture) -> None:
    environment = {"BILLING_PREFIX": "bill-test", "DATABASE_SECRET_ID": "writer"}
    adapters = Bootstrap(Settings.from_environment(environment))
    vars(adapters).update(ledger=fixture.ledger, idle_queues=fixture.queues)
    fixture.queue()
    fixture.queues.broken = {fixture.queue(), fixture.queue()}
    fixture.ledger.clock.advance(LONG)
    with pytest.raises(functions.NotSwept, match="2 reply queues"):
        functions.sweep(adapters)
    fixture.queues.broken.pop()
    fixture.ledger.clock.advance(PUT_OFF)
    answer = functions.sweep(adapters)
    assert (answer["status"], answer["failed"]) == ("done", 1)


@pytest.mark.parametrize("subject", [uuid4(), None])
def test_names_fit_into_what_sqs_allows(subject: UUID | None) -> None:
    assert len(reply_queue(prefix="x" * 12, subject=subject, queue_name=uuid4())) <= 80

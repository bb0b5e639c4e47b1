"""Each fault at each step of a payment ends as promised."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from tests.matrix.bench import Bench
from tests.matrix.promises import PAYMENTS, Promise, cases, paid
from tests.matrix.telling import Scene, scene
from tools.chaos.proxies import Moment
from tools.chaos.proxies.sqs import redeliver, times
from tools.local.service import service


def warmed(told: Scene) -> UUID:
    """Have the worker pay something before; returns the name of the queue it replied to."""
    told.story.start_worker()
    bill = told.story.ledger.bill(told.home)
    order = told.order("payments", bills_id=[bill])
    told.answered(order)
    told.paid.add(bill)
    return order.queue


@pytest.mark.parametrize(("fault", "step", "promise"), cases(PAYMENTS))
def test_a_payment_ends_as_promised(bench: Bench, fault: str, step: str, promise: Promise) -> None:
    with scene(bench, "payments", fault) as told:
        if told.story.fault.warm:
            warmed(told)
        chosen = told.story.ledger.bills(told.home, 300, 20)
        told.open = set(told.story.ledger.bills(told.home, 1))
        told.paid |= set(chosen)
        told.keeps(promise, told.order("payments", bills_id=chosen), step=step)


def test_a_payment_past_its_last_receive_is_unknown_and_takes_effect_when_it_is_moved_back(
    bench: Bench,
) -> None:
    """It lies in the dead-letter queue meanwhile, and nobody was told that it had failed."""
    with scene(bench, "payments", "postgres_away") as told:
        queue = warmed(told)
        story, chosen = told.story, told.story.ledger.bills(told.home, 300, 20)
        told.paid |= set(chosen)
        order = replace(told.order("payments", bills_id=chosen), queue=queue)
        with story.striking("received"):
            story.send(order)
            story.settle()
        [answer] = story.answers(order)
        assert (answer["status"], answer["code"]) == ("failed", "payment_outcome_unknown")
        assert story.deliveries.receives[order.request_id] == service().max_receive_count
        bench.start_postgres()
        story.renew_books()
        assert story.move_back() == [order.text]
        story.settle()
        told.hold(paid(receives=4, answers=1), order)


def test_a_request_that_two_workers_have_at_once_is_one_payment(bench: Bench) -> None:
    """Whoever has it first does not pay before the other has it, too."""
    with scene(bench, "payments", "postgres_cut") as told:
        story, chosen = told.story, told.story.ledger.bills(told.home, 300, 20)
        told.paid = set(chosen)
        order = told.order("payments", bills_id=chosen)
        bench.aws.add(redeliver(times(1)))
        for _ in range(2):
            story.start_worker()

        def wait_for_the_other(moment: Moment) -> None:
            if moment.step == "before_payment":
                story.wait_for_receives(order, 2)

        with story.postgres.watching(wait_for_the_other):
            story.send(order)
            story.settle()
        told.hold(paid(receives=2, answers=2), order)


def test_a_request_that_was_put_on_the_queue_twice_is_one_payment(bench: Bench) -> None:
    with scene(bench, "payments", "worker_killed") as told:
        chosen = told.story.ledger.bills(told.home, 300, 20)
        told.paid = set(chosen)
        order = told.order("payments", bills_id=chosen)
        told.keeps(paid(receives=3, answers=2), order, times=2, step="committed")

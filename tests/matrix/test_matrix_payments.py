"""Each fault at each step of a payment ends as expected."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from tests.matrix.expectations import PAYMENTS, Expected, cases
from tests.matrix.harness import Harness
from tests.matrix.messages import Request
from tests.matrix.scenario import Scenario, scenario
from tools.chaos.proxies.sqs import redeliver, times
from tools.chaos.proxies.tcp import StepEvent
from tools.local.service import service


def payment(given: Scenario) -> Request:
    """Return a payment of two new bills."""
    bills = given.ledger.bills(given.home, 300, 20)
    given.paid |= set(bills)
    return given.request(bills_id=bills)


def pay_before(given: Scenario) -> UUID:
    """Have the worker pay something before; returns the name of the queue it replied to."""
    given.start_worker()
    request = payment(given)
    given.answered(request)
    return request.queue


@pytest.mark.parametrize(("fault", "step", "expected"), cases(PAYMENTS))
def test_a_payment_ends_as_expected(
    harness: Harness, fault: str, step: str, expected: Expected
) -> None:
    with scenario(harness, "payments", fault) as given:
        if given.fault.warm:
            pay_before(given)
        given.open = set(given.ledger.bills(given.home, 1))
        given.ends_as(expected, payment(given), step=step)


def test_a_payment_past_its_last_receive_is_unknown_and_takes_effect_when_it_is_moved_back(
    harness: Harness,
) -> None:
    """It lies in the dead-letter queue meanwhile, and nobody was told that it had failed."""
    with scenario(harness, "payments", "postgres_away") as given:
        queue = pay_before(given)
        request = replace(payment(given), queue=queue)
        with given.struck_at("received"):
            given.send(request)
            given.drain()
        [answer] = given.answers(request)
        assert (answer["status"], answer["code"]) == ("failed", "payment_outcome_unknown")
        receives = given.deliveries.receives[request.request_id]
        assert receives == service().max_receive_count
        given.end_fault()
        assert given.move_back() == [request.text]
        given.drain()
        given.check_end(Expected(receives=4, answers=1), request)


def test_a_request_that_two_workers_have_at_once_is_one_payment(harness: Harness) -> None:
    """Whoever has it first does not pay before the other has it, too."""
    with scenario(harness, "payments", "postgres_cut") as given:
        request = payment(given)
        harness.aws_proxy.add(redeliver(times(1)))

        def wait_for_the_other(moment: StepEvent) -> None:
            if moment.step == "before_payment":
                given.wait_for_receives(request, 2)

        with harness.postgres_proxy.watching(wait_for_the_other):
            given.send(request)
            # Not before: an empty receive would use up the rule.
            for _ in range(2):
                given.start_worker()
            given.drain()
        given.check_end(Expected(receives=2, answers=2), request)


def test_a_request_that_was_put_on_the_queue_twice_is_one_payment(harness: Harness) -> None:
    with scenario(harness, "payments", "worker_killed") as given:
        expected = Expected(receives=3, answers=2)
        given.ends_as(expected, payment(given), times=2, step="committed")

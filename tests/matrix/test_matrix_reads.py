"""Each fault at each step of a read ends as promised: with what the books say."""

from __future__ import annotations

import pytest

from tests.matrix.bench import Bench
from tests.matrix.faults import entries
from tests.matrix.promises import DEBTS, HISTORY, Promise, cases
from tests.matrix.telling import Scene, scene

WHOLE = {"date_up": None, "date_down": None}


def read_once_and_paid(told: Scene, operation: str, **body: object) -> None:
    """Put what is true now into the cache, then pay: from now on it is old."""
    story = told.story
    first, second, left = story.ledger.bills(told.home, 300, 20, 1)
    story.ledger.pay(told.home, [first])
    story.start_worker()
    told.answered(told.order(operation, **body))
    with story.bench.redis_past_proxy() as redis:
        story.old_entries = entries(redis)
    story.ledger.pay(told.home, [second])
    told.paid, told.open = {first, second}, {left}


@pytest.mark.parametrize(("fault", "step", "promise"), cases(DEBTS))
def test_debts_end_as_promised(bench: Bench, fault: str, step: str, promise: Promise) -> None:
    with scene(bench, "utils", fault) as told:
        read_once_and_paid(told, "utils")
        told.keeps(promise, told.order("utils"), step=step)


@pytest.mark.parametrize(("fault", "step", "promise"), cases(HISTORY))
def test_a_history_ends_as_promised(bench: Bench, fault: str, step: str, promise: Promise) -> None:
    with scene(bench, "histories", fault) as told:
        read_once_and_paid(told, "histories", **WHOLE)
        told.keeps(promise, told.order("histories", **WHOLE), step=step)

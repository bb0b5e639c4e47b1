"""How a story is told: from the scene to the promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from tests.matrix.bench import Bench
from tests.matrix.promises import Promise
from tests.matrix.story import Order, Story
from tests.matrix.truths import RESIDENT, TRUTHS, End
from tests.support.ledger import Home


@dataclass
class Scene:
    """A resident with an apartment, and what the books must say of its bills in the end."""

    story: Story
    home: Home
    paid: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    secrets: tuple[str, ...] = ()

    def order(self, operation: str, **body: object) -> Order:
        """Write a request of the resident for their apartment."""
        return Order(operation, body, self.home.subject, self.home.apartment)

    def answered(self, order: Order) -> None:
        """Have a request answered before anything strikes."""
        self.story.send(order)
        self.story.settle()
        assert [one["status"] for one in self.story.answers(order)] == ["done"]

    def keeps(self, promise: Promise, order: Order, *, times: int = 1, step: str) -> None:
        """Send the request, let the fault strike at the step, and hold the end to the promise."""
        story = self.story
        with story.striking(step):
            if not story.workers:
                story.start_worker()
            story.send(order, times=times)
            story.settle()
        story.renew_books()
        self.hold(promise, order)

    def hold(self, promise: Promise, order: Order) -> None:
        """Compare the end with the promise."""
        story, answers = self.story, self.story.answers(order)
        end = End(story, order, self.home, answers, self.paid, self.open, self.secrets)
        receives = story.deliveries.receives.get(order.request_id)
        assert (receives, len(answers)) == (promise.receives, promise.answers), story.last_words()
        for name in promise.keeps:
            TRUTHS[name](end)


@contextmanager
def scene(bench: Bench, operation: str, fault: str) -> Iterator[Scene]:
    """Give a scene; whatever its story started is ended after it."""
    story = Story(bench, operation, fault)
    try:
        ledger = story.ledger
        ledger.provider()
        home = Home(subject=ledger.resident(f"{RESIDENT} {uuid4()}"), apartment=ledger.apartment())
        ledger.grant(home.subject, home.apartment)
        yield Scene(story, home)
    finally:
        story.fault.heal(story)
        story.close()

"""What the judge says: which promises were broken, and on how much each of them was judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]

# Each promise has a name that tests, docs and alarms share.
NAMES = {
    "I1": "bill_paid_once",
    "I2": "payment_adds_up",
    "I3": "bill_open_or_paid",
    "I4": "paid_is_durable",
    "I5": "request_answered",
    "I6": "paid_was_never_rejected",
    "I7": "private",
    "I8": "history_without_gap",
    "I9": "paid_is_no_debt",
    "I10": "sync_is_history",
    "I11": "nothing_personal_in_logs",
    "I12": "cache_never_stalls",
}


@dataclass(frozen=True)
class Finding:
    """A fact that breaks a promise. `events` are those that show it, `about` names ids."""

    text: str
    request_id: str | None = None
    events: tuple[Event, ...] = ()
    about: frozenset[str] = frozenset()


# What a check gives for each fact that it looks at: None when the fact is as promised.
Facts = Iterator[Finding | None]


@dataclass(frozen=True)
class Violation:
    """A broken promise, with the smallest story that tells it: events in order of time."""

    invariant: str
    request_id: str | None
    text: str
    story: Sequence[Event] = ()


@dataclass(frozen=True)
class Verdict:
    """All violations, and the number of facts by invariant."""

    violations: Sequence[Violation]
    facts: Mapping[str, int]

    @property
    def vacuous(self) -> list[str]:
        """Invariants that were judged on nothing: the run says nothing about them."""
        return [name for name, count in self.facts.items() if count == 0]

    @property
    def smallest(self) -> list[Violation]:
        """For each broken invariant the violation with the shortest story, the first of several."""
        found: dict[str, Violation] = {}
        for one in self.violations:
            kept = found.setdefault(one.invariant, one)
            if len(one.story) < len(kept.story):
                found[one.invariant] = one
        return list(found.values())

    def holds(self, *, needed: Sequence[str] = ()) -> bool:
        """Whether nothing was broken and each needed invariant was judged on something."""
        return not self.violations and not set(needed) & set(self.vacuous)

    def __str__(self) -> str:
        """Return a table for a terminal, a line an invariant."""
        broken = [violation.invariant for violation in self.violations]
        return "\n".join(
            f"{name:>4} {NAMES[name]:<26} {_judgement(count, broken.count(name))}"
            for name, count in self.facts.items()
        )


def _judgement(facts: int, broken: int) -> str:
    if broken:
        return f"BROKEN {broken} times in {facts} facts"
    return f"holds in {facts} facts" if facts else "judged on nothing"

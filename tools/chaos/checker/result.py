"""What the checker says: which invariants were broken, and on how many facts each was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.chaos.checker.history import Answer, Event, Reply, Request


@dataclass(frozen=True)
class Finding:
    """A fact that breaks an invariant. `events` are those that show it, `about` names ids."""

    text: str
    request_id: str | None = None
    events: tuple[Event, ...] = ()
    about: frozenset[str] = frozenset()


# What a check gives for each fact that it looks at: None when the fact is as promised.
Facts = Iterator[Finding | None]


def finding(
    trouble: str | None, source: Request | Reply | Answer | None = None, *about: str
) -> Finding | None:
    """Return the finding about a trouble, which a request or answer shows; None without one."""
    if trouble is None:
        return None
    if source is None:
        return Finding(trouble, about=frozenset(about))
    return Finding(trouble, source.request_id, source.events, frozenset(about))


def differences(shown: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Name what two answers don't have in common, empty when they are equal."""
    names = sorted(shown.keys() | expected.keys())
    return ", ".join(name for name in names if shown.get(name, "-") != expected.get(name, "-"))


@dataclass(frozen=True)
class Violation:
    """A broken invariant, with the smallest counterexample: events in order of time."""

    invariant: str
    request_id: str | None
    text: str
    counterexample: Sequence[Event] = ()


@dataclass(frozen=True)
class Result:
    """All violations, and the number of facts by invariant; `names` are the invariants' names.

    `strikes` has for each fault, with its variant, how often it took effect each time it began.
    """

    violations: Sequence[Violation]
    facts: Mapping[str, int]
    names: Mapping[str, str]
    strikes: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def vacuous(self) -> list[str]:
        """Invariants that no fact was there to check on: the run says nothing about them."""
        return [number for number, count in self.facts.items() if count == 0]

    @property
    def smallest(self) -> list[Violation]:
        """For each broken invariant the violation with the shortest counterexample."""
        found: dict[str, Violation] = {}
        for one in sorted(self.violations, key=lambda one: len(one.counterexample)):
            found.setdefault(one.invariant, one)
        return list(found.values())

    @property
    def struck(self) -> str:
        """A line for a terminal: how often each fault took effect, of how often it began."""
        counts = ((name, sum(map(bool, one)), len(one)) for name, one in self.strikes.items())
        return ", ".join(f"{name} {struck}/{begun}" for name, struck, begun in sorted(counts))

    def __str__(self) -> str:
        """Return a table for a terminal, a line an invariant."""
        broken = [violation.invariant for violation in self.violations]
        return "\n".join(
            f"{number:>4} {self.names[number]:<26} {_summary(count, broken.count(number))}"
            for number, count in self.facts.items()
        )


def _summary(facts: int, broken: int) -> str:
    if broken:
        return f"BROKEN {broken} times in {facts} facts"
    return f"holds in {facts} facts" if facts else "checked on nothing"

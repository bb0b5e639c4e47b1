"""What a run measured, and its report: percentiles by operation, as data and as tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.console import Console

Json = dict[str, Any]

DONE = "done"
# The client gave up waiting: the answer took at least as long as it waited.
TIMEOUT = "answer_timeout"
_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}


@dataclass(frozen=True)
class Sample:
    """One operation. Instants are in seconds; `outcome` is "done" or an error code.

    `due` is when it should have started. In a closed loop that is when it did start. In an open
    loop it is what the schedule says, so the time spent behind a stalled service counts.
    """

    operation: str
    due: float
    started: float
    accepted: float | None
    ended: float
    outcome: str

    @property
    def is_answered(self) -> bool:
        """Tell whether its time counts as a time to the answer.

        A timeout counts: leaving out the slowest would flatter the service. A rejection does not.
        """
        return self.outcome in (DONE, TIMEOUT)


@dataclass(frozen=True)
class Recording:
    """What many threads measure; `responses` are methods and statuses."""

    samples: list[Sample] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)


def latency(seconds: Iterable[float]) -> Json:
    """Return count and percentiles (nearest rank) in milliseconds; they are None of nothing."""
    values = sorted(seconds)
    ranks = {name: math.ceil(len(values) * share) - 1 for name, share in _PERCENTILES.items()}
    found = {name: round(values[at] * 1000, 3) if values else None for name, at in ranks.items()}
    return {"count": len(values), **found}


def summarize(recording: Recording) -> Json:
    """Return the report of a run."""
    samples = recording.samples
    begun = min((each.due for each in samples), default=0.0)
    seconds = max((each.ended for each in samples), default=0.0) - begun
    done = sum(each.outcome == DONE for each in samples)
    return {
        "seconds": round(seconds, 3),
        "throughput": round(done / seconds, 3) if done else 0.0,
        "responses": dict(sorted(Counter(recording.responses).items())),
        "all": _summary(samples),
        "operations": {
            name: _summary([each for each in samples if each.operation == name])
            for name in sorted({each.operation for each in samples})
        },
    }


def _summary(samples: Sequence[Sample]) -> Json:
    return {
        "count": len(samples),
        "errors": dict(Counter(each.outcome for each in samples if each.outcome != DONE)),
        "answered_ms": latency(each.ended - each.due for each in samples if each.is_answered),
        "accepted_ms": latency(
            each.accepted - each.due for each in samples if each.accepted is not None
        ),
        # How late the load itself was: much here means that this machine could not keep up.
        "late_ms": latency(each.started - each.due for each in samples),
    }


def show(report: Json, console: Console) -> None:
    """Print a report for people."""
    numbers = ("count", "p50", "p90", "p99", "max", "p50 to 202")
    rows = [_row(*named) for named in {**report["operations"], "all": report["all"]}.items()]
    title = f"{report['throughput']:.2f} operations a second in {report['seconds']:.0f} s"
    console.table(title, ("ms", *numbers, "errors"), rows, numbers=numbers)
    console.text(f"HTTP: {_counts(report['responses'])}")
    ledger = ", ".join(f"{name} {value}" for name, value in report["ledger"].items())
    console.text(f"Ledger: {ledger}")


def _row(name: str, operation: Json) -> list[object]:
    answered, accepted = operation["answered_ms"], operation["accepted_ms"]
    times = [*(answered[at] for at in ("p50", "p90", "p99", "max")), accepted["p50"]]
    shown = ["-" if time is None else f"{time:.0f}" for time in times]
    return [name, operation["count"], *shown, _counts(operation["errors"])]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} x {count}" for name, count in counts.items())

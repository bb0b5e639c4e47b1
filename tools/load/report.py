"""The report of a run: percentiles by operation, as data and as text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tools.load.recording import DONE, Recording, Sample

Json = dict[str, Any]

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
_COLUMNS = "{:>10}{:>7}{:>9}{:>9}{:>9}{:>9}{:>12}  {}"


def latency(seconds: Iterable[float]) -> Json:
    """Return count and percentiles (nearest rank) in milliseconds; they are None of nothing."""
    values = sorted(seconds)
    ranks = {name: math.ceil(len(values) * share) - 1 for name, share in _PERCENTILES.items()}
    found = {name: round(values[at] * 1000, 3) if values else None for name, at in ranks.items()}
    return {"count": len(values), **found}


def summarize(recording: Recording, *, seconds: float) -> Json:
    """Return the report of a run that took so many seconds."""
    samples = recording.samples
    operations = sorted({sample.operation for sample in samples})
    return {
        "seconds": round(seconds, 3),
        "throughput": round(sum(each.outcome == DONE for each in samples) / seconds, 3),
        "responses": dict(sorted(recording.responses.items())),
        "all": _summary(samples),
        "operations": {
            name: _summary([each for each in samples if each.operation == name])
            for name in operations
        },
    }


def as_text(report: Json) -> Iterator[str]:
    """Yield the lines of a report for people."""
    yield f"{report['throughput']:.2f} operations a second in {report['seconds']:.0f} s"
    headings = ("p50", "p90", "p99", "max", "p50 to 202", "errors")
    yield _COLUMNS.format("ms", "count", *headings)
    for name, operation in {**report["operations"], "all": report["all"]}.items():
        yield _row(name, operation)
    yield "HTTP: " + _counts(report["responses"])
    yield "Ledger: " + ", ".join(f"{name} {value}" for name, value in report["ledger"].items())


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


def _row(name: str, operation: Json) -> str:
    answered, accepted = operation["answered_ms"], operation["accepted_ms"]
    numbers = [*(answered[at] for at in ("p50", "p90", "p99", "max")), accepted["p50"]]
    shown = ["-" if number is None else f"{number:.0f}" for number in numbers]
    return _COLUMNS.format(name, operation["count"], *shown, _counts(operation["errors"]))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} x {count}" for name, count in counts.items())

"""Samples in numbers: percentiles, throughput over time, errors by code."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hdrh.histogram import HdrHistogram

from tools.load.samples import DONE, Recording, Sample

Json = dict[str, Any]

_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
# Microseconds, up to an hour, to three digits.
_HIGHEST, _DIGITS = 3_600_000_000, 3


def latency(seconds: Iterable[float]) -> Json:
    """Return count, percentiles, mean and maximum in milliseconds; all but count None if empty."""
    histogram, total = HdrHistogram(1, _HIGHEST, _DIGITS), 0.0
    for value in seconds:
        histogram.record_value(min(max(1, round(value * 1e6)), _HIGHEST))
        total += value * 1e6
    count: int = histogram.get_total_count()
    if not count:
        return {"count": 0, **dict.fromkeys([*_PERCENTILES, "mean", "max"])}
    found = histogram.get_percentile_to_value_dict(list(_PERCENTILES.values()))
    values = {name: found[at] for name, at in _PERCENTILES.items()}
    # The histogram finds its mean by looking into each of its buckets.
    values |= {"mean": total / count, "max": histogram.get_max_value()}
    return {"count": count, **{name: _milliseconds(value) for name, value in values.items()}}


def summarise(recording: Recording, *, start: float, end: float) -> Json:
    """Return the report of what was due in [start, end), in seconds of the run."""
    samples = [s for s in recording.samples if start <= s.intended < end]
    operations = sorted({sample.operation for sample in samples})
    responses = [r for r in recording.responses if start <= r[0] < end]
    return {
        "seconds": round(end - start, 3),
        "throughput": round(sum(s.outcome == DONE for s in samples) / (end - start), 3),
        "all": _operation(samples),
        "operations": {
            name: _operation([s for s in samples if s.operation == name]) for name in operations
        },
        "responses": dict(sorted(Counter(f"{m} {s}" for _, m, s in responses).items())),
        "timeline": timeline(recording, start=start, end=end),
    }


def timeline(recording: Recording, *, start: float, end: float) -> list[Json]:
    """Return one entry a second: what was due, what was done, what failed, 429s, the median."""
    seconds = range(math.floor(start), math.ceil(end))
    due = Counter(math.floor(s.intended) for s in recording.samples)
    throttled = Counter(math.floor(at) for at, _, status in recording.responses if status == 429)
    ended: dict[int, list[Sample]] = {second: [] for second in seconds}
    for sample in recording.samples:
        ended.get(math.floor(sample.ended), []).append(sample)
    return [
        {
            "second": second - seconds.start,
            "due": due[second],
            "done": sum(s.outcome == DONE for s in ended[second]),
            "failed": sum(s.outcome != DONE for s in ended[second]),
            "throttled": throttled[second],
            "p50": _median(s.seconds for s in ended[second] if s.answered),
        }
        for second in seconds
    ]


def _operation(samples: Sequence[Sample]) -> Json:
    accepted = (s.seconds_to_accepted for s in samples)
    return {
        "count": len(samples),
        "errors": dict(sorted(Counter(s.outcome for s in samples if s.outcome != DONE).items())),
        "answered_ms": latency(s.seconds for s in samples if s.answered),
        "accepted_ms": latency(seconds for seconds in accepted if seconds is not None),
        # How late the load itself was: much here means that this machine could not send as planned.
        "late_ms": latency(s.started - s.intended for s in samples),
    }


def _median(seconds: Iterable[float]) -> float | None:
    """Return the median in ms; so few values need no histogram."""
    values = list(seconds)
    return round(statistics.median(values) * 1000, 3) if values else None


def _milliseconds(microseconds: float) -> float:
    return round(microseconds / 1000, 3)

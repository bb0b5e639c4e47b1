"""Percentiles, errors and time."""

import pytest

from tools.load.samples import DONE, TIMEOUT, Recording, Sample
from tools.load.summary import latency, summarise


def recording(*samples: Sample, responses: tuple[tuple[float, str, int], ...] = ()) -> Recording:
    made = Recording(lambda: 0.0)
    made.samples.extend(samples)
    made.responses.extend(responses)
    return made


def sample(
    at: float, seconds: float, *, outcome: str = DONE, operation: str = "debts", late: float = 0.0
) -> Sample:
    accepted = at + seconds / 2 if outcome != "too_many_requests" else None
    return Sample(operation, at, at + late, accepted, at + seconds, outcome)


def test_percentiles_are_those_of_the_values() -> None:
    found = latency(number / 1000 for number in range(1, 1001))
    assert found["count"] == 1000
    expected = {"p50": 500, "p90": 900, "p99": 990, "p999": 999, "max": 1000, "mean": 500.5}
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=0.002)


def test_nothing_measured_has_no_percentiles() -> None:
    assert latency([]) == {
        "count": 0,
        **dict.fromkeys(("p50", "p90", "p99", "p999", "mean", "max")),
    }


def test_what_is_beyond_the_scale_counts_as_its_end() -> None:
    assert latency([-1.0, 0.0])["max"] == 0.001
    assert latency([5000.0])["max"] == pytest.approx(3_600_000, rel=0.001)


def test_a_timeout_counts_as_slow_and_a_rejection_not_as_quick() -> None:
    run = summarise(
        recording(
            sample(0.0, 0.2),
            sample(1.0, 30.0, outcome=TIMEOUT),
            sample(2.0, 0.001, outcome="too_many_requests"),
        ),
        start=0.0,
        end=40.0,
    )
    debts = run["operations"]["debts"]
    assert debts["errors"] == {TIMEOUT: 1, "too_many_requests": 1}
    assert debts["answered_ms"]["count"] == debts["accepted_ms"]["count"] == 2
    assert debts["answered_ms"]["max"] == pytest.approx(30_000, rel=0.001)
    assert debts["accepted_ms"]["max"] == pytest.approx(15_000, rel=0.001)
    assert (debts["count"], run["throughput"]) == (3, 0.025)


def test_time_counts_from_when_an_operation_was_due() -> None:
    run = summarise(recording(sample(0.0, 3.0, late=2.0)), start=0.0, end=5.0)
    assert run["all"]["answered_ms"]["max"] == pytest.approx(3000, rel=0.001)
    assert run["all"]["late_ms"]["max"] == pytest.approx(2000, rel=0.001)


def test_the_timeline_tells_each_second_apart() -> None:
    made = recording(
        sample(10.2, 0.1),
        sample(10.9, 0.4),
        sample(11.0, 1.5, outcome="payment_outcome_unknown"),
        responses=((10.1, "POST", 202), (12.4, "POST", 429)),
    )
    rows = summarise(made, start=10.0, end=13.0)["timeline"]
    columns = [(r["second"], r["due"], r["done"], r["failed"], r["throttled"]) for r in rows]
    assert columns == [(0, 2, 1, 0, 0), (1, 1, 1, 0, 0), (2, 0, 0, 1, 1)]
    assert [row["p50"] for row in rows[:2]] == pytest.approx([100, 400], rel=0.002)
    assert rows[2]["p50"] is None


def test_a_run_counts_what_was_due_in_it_alone() -> None:
    made = recording(sample(0.0, 1.0), sample(5.0, 1.0), responses=((0.5, "GET", 200),))
    run = summarise(made, start=2.0, end=8.0)
    assert (run["all"]["count"], run["responses"]) == (1, {})

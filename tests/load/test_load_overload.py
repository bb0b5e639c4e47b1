"""Ramp, overload and recovery, on a service whose capacity is known."""

from collections import deque
from collections.abc import Iterable, Sequence

import pytest

from tools.load.depths import Depth, DepthWatch
from tools.load.errors import LoadError
from tools.load.loops import Threads
from tools.load.overload import Course, Overload, Plan, recovery_seconds
from tools.load.samples import DONE, Recording, Sample
from tools.load.schedule import Arrival, Mix

MIX = Mix({"pay": 1.0})


class Crowd:
    """Users of a service that does ``capacity`` operations a second, one after the other."""

    users: Sequence[object] = (None, None)

    def __init__(self, capacity: float) -> None:
        self.now = self.free_at = 0.0
        self.capacity = capacity
        self.recording = Recording(lambda: self.now)
        self.stocked = 0
        self.waiting: deque[Arrival] = deque()

    def stock_for(self, arrivals: Iterable[Arrival]) -> None:
        self.stocked += len(list(arrivals))

    def open(self, arrivals: Sequence[Arrival], threads: Threads) -> None:
        for arrival in arrivals:
            self.recording.due()
            self.waiting.append(arrival)

    def sleep_until(self, second: float) -> None:
        while self.waiting and self._end() <= second:
            self.free_at, arrival = self._end(), self.waiting.popleft()
            at = arrival.at
            self.recording.add(Sample("pay", at, at, at, self.free_at, DONE))
        self.now = second

    def _end(self) -> float:
        return max(self.free_at, self.waiting[0].at) + 1 / self.capacity


def drive(crowd: Crowd, plan: Plan) -> Course:
    with Threads(1) as threads:
        return Overload(crowd, plan, threads, lambda _: None).run()


def test_the_rate_grows_past_the_capacity_and_falls_back() -> None:
    crowd = Crowd(capacity=20)
    plan = Plan(MIX, rate=2, factor=2, stage_seconds=5, hold_seconds=10)
    course = drive(crowd, plan)
    rates = [rate for _, rate in course.stages]
    highest = rates.index(max(rates))
    assert rates[: highest + 1] == [2 * 2**step for step in range(highest + 1)]
    assert course.peak_rate == max(rates) > crowd.capacity
    assert rates[highest:].count(course.peak_rate) == 2
    assert rates[-1] == plan.rate
    assert crowd.stocked == len(crowd.recording.samples) + len(crowd.waiting)


def test_recovery_ends_with_the_last_operation_of_the_overload() -> None:
    crowd = Crowd(capacity=20)
    course = drive(crowd, Plan(MIX, rate=2, factor=2))
    depths = [Depth(float(second), {"payments": 0}, 0) for second in range(200)]
    backlog = sum(s.intended < course.overload_ended < s.ended for s in crowd.recording.samples)
    recovery = recovery_seconds(course, crowd.recording.samples, depths)
    assert backlog > 0
    assert recovery == pytest.approx(backlog / crowd.capacity, abs=1.0)


def test_recovery_ends_no_sooner_than_the_queues_are_as_before() -> None:
    course = Course(overload_began=10.0, overload_ended=20.0)
    depths = [Depth(5.0, {"pay": 2}, 0), Depth(15.0, {"pay": 90}, 0), Depth(22.0, {"pay": 3}, 0)]
    assert recovery_seconds(course, [], depths) is None
    assert recovery_seconds(course, [], [*depths, Depth(26.5, {"pay": 2}, 0)]) == 6.5


def test_a_service_that_nothing_piles_up_on_is_not_overloaded() -> None:
    with pytest.raises(LoadError, match="pile nothing up"):
        drive(Crowd(capacity=10_000), Plan(MIX, most=50))


def test_the_queues_are_looked_at_while_a_load_runs() -> None:
    recording = Recording(lambda: 0.0)
    recording.due()
    with DepthWatch(lambda: {"auth": 1, "utils": 2}, recording) as watch:
        pass
    assert watch.seen[0] == Depth(0.0, {"auth": 1, "utils": 2}, 1)
    assert watch.seen[0].total == 3


def test_queues_that_can_not_be_looked_at_are_reported() -> None:
    def broken() -> dict[str, int]:
        raise ConnectionError

    with pytest.raises(ConnectionError), DepthWatch(broken, Recording(lambda: 0.0)):
        pass

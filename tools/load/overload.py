"""Past saturation and back: the arrival rate grows until answers pile up, stays, and falls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tools.load.depths import Depth
from tools.load.errors import LoadError
from tools.load.loops import Threads
from tools.load.samples import Recording, Sample
from tools.load.schedule import Arrival, Mix, arrivals

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """Rates in operations a second, times in seconds.

    Answers pile up when what is outstanding is more than what arrives in ``behind_seconds``: by
    Little's law an operation then takes longer than that.
    """

    mix: Mix
    rate: float = 2.0
    factor: float = 1.6
    most: float = 200.0
    stage_seconds: float = 5.0
    calm_seconds: float = 10.0
    behind_seconds: float = 3.0
    hold_seconds: float = 10.0
    recover_seconds: float = 120.0
    seed: str = "1"


@dataclass
class Course:
    """When what began, in seconds of the run, and the rate of each stage."""

    stages: list[tuple[float, float]] = field(default_factory=list)
    overload_began: float = 0.0
    overload_ended: float = 0.0
    peak_rate: float = 0.0


class Driven(Protocol):
    """The crowd, as far as it is driven."""

    @property
    def users(self) -> Sequence[object]: ...

    @property
    def recording(self) -> Recording: ...

    def stock_for(self, arrivals: Iterable[Arrival]) -> None: ...

    def open(self, arrivals: Sequence[Arrival], threads: Threads) -> None: ...

    def sleep_until(self, second: float) -> None: ...


class Overload:
    """Drives a crowd through the plan."""

    def __init__(self, crowd: Driven, plan: Plan, threads: Threads, progress: Progress) -> None:
        self._crowd, self._plan, self._threads = crowd, plan, threads
        self._progress = progress
        self.course = Course()

    def run(self) -> Course:
        """Ramp up, hold, fall; returns once the backlog is gone or patience is over.

        Raises LoadError when even the highest rate piles nothing up.
        """
        plan, course = self._plan, self.course
        self._stage(plan.rate, plan.calm_seconds)
        self._ramp()
        self._stage(course.peak_rate, plan.hold_seconds)
        course.overload_ended = self._crowd.recording.now()
        self._recover()
        return course

    def _ramp(self) -> None:
        plan, course = self._plan, self.course
        rate = plan.rate
        while not self._piles_up(rate):
            rate *= plan.factor
            if rate > plan.most:
                raise LoadError(f"{plan.most:g} operations a second pile nothing up.")
            course.overload_began = self._crowd.recording.now()
            self._stage(rate, plan.stage_seconds)
        course.peak_rate = rate

    def _piles_up(self, rate: float) -> bool:
        return self._crowd.recording.outstanding > rate * self._plan.behind_seconds

    def _recover(self) -> None:
        """Go on at the calm rate until all that arrived before the end of the overload is over."""
        plan, recording = self._plan, self._crowd.recording
        deadline = recording.now() + plan.recover_seconds
        while self._backlog() and recording.now() < deadline:
            self._stage(plan.rate, plan.stage_seconds)
        self._stage(plan.rate, plan.calm_seconds)

    def _backlog(self) -> bool:
        """Tell whether more is outstanding than the calm rate alone explains."""
        return self._piles_up(self._plan.rate)

    def _stage(self, rate: float, seconds: float) -> None:
        plan, crowd = self._plan, self._crowd
        planned = arrivals(
            rate=rate,
            seconds=seconds,
            poisson=True,
            mix=plan.mix,
            users=len(crowd.users),
            seed=f"{plan.seed} {len(self.course.stages)}",
        )
        crowd.stock_for(planned)
        start = crowd.recording.now()
        self.course.stages.append((start, rate))
        self._progress(f"{rate:.1f} operations a second, {crowd.recording.outstanding} open")
        crowd.open([arrival.later(start) for arrival in planned], self._threads)
        crowd.sleep_until(start + seconds)


def recovery_seconds(
    course: Course, samples: Sequence[Sample], depths: Sequence[Depth]
) -> float | None:
    """Return how long the overload was felt after its end, None if it did not pass.

    Over when each operation that was due before the end has ended, and the queues are no deeper
    than they ever were before the overload began.
    """
    waited = [s.ended for s in samples if s.intended < course.overload_ended]
    usual = max((d.total for d in depths if d.at < course.overload_began), default=0)
    after = [d for d in depths if d.at >= course.overload_ended]
    shallow = next((d.at for d in after if d.total <= usual), None)
    if shallow is None:
        return None
    return max(
        0.0, max(waited, default=0.0) - course.overload_ended, shallow - course.overload_ended
    )

"""Who was at home where and when, as far as the office's calls tell.

A call takes time, so a stay has two lengths: the longest that is possible (from before the grant
was asked for until the end was answered) and the shortest that is certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tools.chaos.judge.verdict import Event

_NEVER = float("inf")
# What a call that is made again is told when an earlier attempt had its effect.
_DONE_ALREADY = {"grant": "residency_exists", "end": "residency_not_found"}


@dataclass(frozen=True)
class Stay:
    """A span of a run; `since` is from when on history may be seen, None when it is not known."""

    begins: float
    ends: float
    since: str | None = None

    def meets(self, begin: float, end: float) -> bool:
        """Whether it has an instant in common with [begin, end]."""
        return self.begins <= end and begin <= self.ends

    def covers(self, begin: float, end: float) -> bool:
        """Whether all of [begin, end] lies in it."""
        return self.begins <= begin and end <= self.ends


class Stays:
    """Stays by (user, apartment), told by the office's grants and ends.

    `clock_steps`: when a clock was set back.
    """

    def __init__(self, calls: Sequence[Event], *, clock_steps: Sequence[float] = ()) -> None:
        self._clock_steps = clock_steps
        self._calls: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for call in calls:
            self._calls[call["args"]["user"], call["args"]["apartment"]].append(call)

    def possible(self, user: str, apartment: str) -> list[Stay]:
        """Return each stay at its longest."""
        stays: list[Stay] = []
        for call in self._calls.get((user, apartment), []):
            if call["action"] == "grant" and _may_have_happened(call):
                stays.append(Stay(float(call["t0"]), _NEVER, _since(call)))
            elif _happened(call) and stays:
                # An end ends all that may have begun before it.
                stays = [Stay(s.begins, min(s.ends, float(call["t"])), s.since) for s in stays]
        return stays

    def certain(self, user: str, apartment: str) -> list[Stay]:
        """Return each stay at its shortest."""
        stays: list[Stay] = []
        lasts = False
        for call in self._calls.get((user, apartment), []):
            if call["action"] == "grant" and _happened(call):
                if not (lasts and _is_told_of_before(call)):
                    stays.append(Stay(float(call["t"]), self._sure_until(call), _since(call)))
                lasts = True
            elif call["action"] == "end" and _may_have_happened(call):
                stays = [Stay(s.begins, min(s.ends, float(call["t0"])), s.since) for s in stays]
                lasts = False
        return stays

    def _sure_until(self, grant: Event) -> float:
        """Return when a clock that went back may have put a residency "from now on" in the future.

        It counts from an instant that is over; where the clock then says an earlier one, the
        resident has to wait. That is hard on them, and no promise.
        """
        if grant["args"].get("since") is not None:
            return _NEVER
        return min((at for at in self._clock_steps if at >= float(grant["t0"])), default=_NEVER)

    def may_have_met(self, user: str, apartment: str, begin: float, end: float) -> list[Stay]:
        """Return the possible stays that have an instant in [begin, end]."""
        return [stay for stay in self.possible(user, apartment) if stay.meets(begin, end)]

    def surely_covered(self, user: str, apartment: str, begin: float, end: float) -> bool:
        """Whether the user had the apartment all through [begin, end]."""
        return any(stay.covers(begin, end) for stay in self.certain(user, apartment))

    def apartments(self, user: str) -> list[str]:
        """Return the apartments that a user was ever to have."""
        return [apartment for (who, apartment) in self._calls if who == user]


def _happened(call: Event) -> bool:
    answer = call["answer"] or {}
    again = call.get("attempts", 1) > 1 and answer.get("code") == _DONE_ALREADY[call["action"]]
    return answer.get("status") == "done" or again


def _is_told_of_before(grant: Event) -> bool:
    """Whether a grant that was made again may have met not its first attempt but another grant."""
    return bool((grant["answer"] or {}).get("status") != "done")


def _may_have_happened(call: Event) -> bool:
    return call["answer"] is None or _happened(call)


def _since(call: Event) -> str | None:
    since: str | None = ((call["answer"] or {}).get("data") or {}).get("since")
    return since

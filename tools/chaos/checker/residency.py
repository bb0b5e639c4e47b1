"""Who lived where and when, as far as the operators' calls show.

A call takes time, so a stay has two lengths: the longest that is possible (from before the grant
was requested until the end was answered) and the shortest that is certain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.chaos.checker.history import NEVER, Event, happened
from tools.chaos.checker.rebuilt import later


@dataclass(frozen=True)
class ResidencySpan:
    """A span of a run; `since` is from when on history may be seen, None for "from now on"."""

    begins: float
    ends: float
    since: str | None = None

    def meets(self, begin: float, end: float) -> bool:
        """Whether it has an instant in common with [begin, end]."""
        return self.begins <= end and begin <= self.ends


class ResidencySpans:
    """Stays by (user, apartment); `clock_steps`: when a clock was set back."""

    def __init__(self, calls: Sequence[Event], *, clock_steps: Sequence[float] = ()) -> None:
        self._clock_steps = clock_steps
        self._calls: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for call in calls:
            self._calls[call["args"]["user"], call["args"]["apartment"]].append(call)

    def possible(self, user: str, apartment: str, begin: float, end: float) -> list[ResidencySpan]:
        """Return the stays, each at its longest, that have an instant in [begin, end]."""
        stays: list[ResidencySpan] = []
        for call in self._calls.get((user, apartment), []):
            if call["action"] == "grant" and _may_have_happened(call):
                since = call["args"]["since"] and later(call["args"]["since"], 0)
                stays.append(ResidencySpan(float(call["t0"]), NEVER, since))
            elif call["action"] == "end" and happened(call):
                stays = _ended(stays, float(call["t"]))
        return [stay for stay in stays if stay.meets(begin, end)]

    def seen(self, user: str, apartment: str, begin: float, end: float) -> list[ResidencySpan]:
        """Return the stays by which a user may see an apartment in [begin, end].

        Who has left it sees it by the stays that are over.
        """
        present = self.possible(user, apartment, begin, end)
        return present or self.possible(user, apartment, 0.0, end)

    def came(self, user: str, apartment: str, by: float) -> bool:
        """Whether the user surely had the apartment at some time, which they never lose."""
        calls = self._calls.get((user, apartment), [])
        for before, call in enumerate(calls):
            if call["action"] != "grant" or not happened(call) or float(call["t"]) > by:
                continue
            # A repeated grant may have met not its own first attempt but another grant.
            is_own = call["answer"]["status"] == "done" or before == 0
            if is_own and self._certain_until(call) == NEVER:
                return True
        return False

    def is_certain(self, user: str, apartment: str, begin: float, end: float) -> bool:
        """Whether the user surely had the apartment all through [begin, end]."""
        stays: list[ResidencySpan] = []
        lasts = False
        for call in self._calls.get((user, apartment), []):
            if call["action"] == "grant" and happened(call):
                # A repeated grant may have met not its own first attempt but another grant.
                if not lasts or call["answer"]["status"] == "done":
                    stays.append(ResidencySpan(float(call["t"]), self._certain_until(call)))
                lasts = True
            elif call["action"] == "end" and _may_have_happened(call):
                stays, lasts = _ended(stays, float(call["t0"])), False
        return any(stay.begins <= begin and end <= stay.ends for stay in stays)

    def _certain_until(self, grant: Event) -> float:
        """Return when a clock that went back may have put a residency "from now on" in the future.

        It counts from an instant that is over; where the clock then says an earlier one, the
        resident has to wait. That is hard on them, and no promise.
        """
        if grant["args"].get("since") is not None:
            return NEVER
        return min((at for at in self._clock_steps if at >= float(grant["t0"])), default=NEVER)

    def apartments(self, user: str) -> list[str]:
        """Return the apartments that a user was ever granted."""
        return [apartment for (who, apartment) in self._calls if who == user]


def _ended(stays: list[ResidencySpan], at: float) -> list[ResidencySpan]:
    """An end ends all stays that may have begun before it."""
    return [replace(stay, ends=min(stay.ends, at)) for stay in stays]


def _may_have_happened(call: Event) -> bool:
    return call["answer"] is None or happened(call)

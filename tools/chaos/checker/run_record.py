"""All that the checker looks at: the history of a run, the ledger after it, queues and logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.chaos.checker.changes import Changes
from tools.chaos.checker.history import Event, History
from tools.chaos.checker.ledger import Ledger, Row
from tools.chaos.checker.residency import ResidencySpans


@dataclass(frozen=True)
class RunRecord:
    """A run as plain data: the events of its history, and what was left after it.

    `tables` are the ledger's rows by table. `final` has `dead_letters`, `waiting`, `replies` and
    `violations`. `logs` are texts by name, `secrets` objects of kind, value and user.
    """

    events: Sequence[Event]
    tables: Mapping[str, Sequence[Row]]
    final: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def history(self) -> History:
        """The events, indexed."""
        left = [
            {"e": "reply", "user": queue["owner"], "queue_name": queue["queue_name"], "reply": body}
            for queue in self.final.get("replies", [])
            for body in queue["replies"]
        ]
        return History(self.events, left)

    @cached_property
    def ledger(self) -> Ledger:
        """The tables, indexed."""
        return Ledger(self.tables)

    @cached_property
    def changes(self) -> Changes:
        """What happened to the ledger, and when."""
        return Changes(self.ledger, self.history)

    @cached_property
    def stays(self) -> ResidencySpans:
        """Who lived where and when."""
        steps = [one.begins for one in self.history.faults if one.name == "clock_back"]
        return ResidencySpans(self.history.operators("grant", "end"), clock_steps=steps)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of users, as far as they are known."""
        return {str(one.get("user")): one["value"] for one in self.secrets if one["kind"] == "name"}

    @cached_property
    def users(self) -> set[str]:
        """Subs of those whose every request was recorded."""
        return {one.user for one in self.history.requests}


def load(folder: Path) -> RunRecord:
    """Read what a run left in its folder."""
    final = json.loads((folder / "final.json").read_text("utf-8"))
    return RunRecord(
        events=_lines(folder / "history.jsonl"),
        tables=final["ledger"],
        final=final,
        logs={name: (folder / name).read_text("utf-8", "replace") for name in final["logs"]},
        secrets=_lines(folder / final["secrets"]),
    )


def request_ids(messages: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of the requests that some messages hold."""
    return {str(message["attributes"].get("request_id")) for message in messages}


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

"""The office calls the database's functions and always learns what became of a call.

A connection that dies leaves a call's outcome unknown. It is then made again, which is safe: an
import is known by its file, and a second void, reversal, grant or end is told that it was done
already. The recorder gets one event a call, from before the first attempt (`t0`) to the answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tools.chaos.world.recorder import Recorder

Json = dict[str, Any]
Connect = Callable[[], Connection]

LONG_AGO = "2020-01-01T00:00:00Z"
_PAUSE_SECONDS = 0.3
_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


class Office:
    """One clerk's connection; each clerk has a thread and an office of their own."""

    def __init__(self, connect: Connect, recorder: Recorder, give_up: threading.Event) -> None:
        self._connect = connect
        self._recorder = recorder
        self._give_up = give_up
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def issue(self, lines: Sequence[Json]) -> Json | None:
        """Issue bills as a file of their own."""
        numbered = [{"line": number, **line} for number, line in enumerate(lines, start=1)]
        batch = {
            "import_id": str(uuid4()),
            "file_name": "bills.csv",
            "sha256": uuid4().hex * 2,
            "lines": numbered,
        }
        return self._call("issue", "issue_bills", {"lines": numbered}, json.dumps(batch))

    def void(self, bill_id: str) -> Json | None:
        """Withdraw a bill."""
        return self._call("void", "void_bill", {"bill_id": bill_id}, bill_id, "in error", "olga")

    def reverse(self, payment_id: str) -> Json | None:
        """Take a payment back."""
        told = {"payment_id": payment_id}
        return self._call("reverse", "reverse_payment", told, payment_id, "mistake", "olga")

    def grant(self, user: str, apartment: str, since: str | None) -> Json | None:
        """Give a resident an apartment from an instant on, None: from now on."""
        told = {"user": user, "apartment": apartment, "since": since}
        return self._call("grant", "grant_residency", told, user, apartment, since)

    def end(self, user: str, apartment: str) -> Json | None:
        """Take an apartment from a resident."""
        told = {"user": user, "apartment": apartment}
        return self._call("end", "end_residency", told, user, apartment)

    def add_resident(self, user: str, name: str) -> Json | None:
        """Add a resident; their name is not told to the recorder."""
        return self._call("add_resident", "add_resident", {"user": user}, user, name)

    def add_apartment(self, apartment: str) -> Json | None:
        """Add an apartment."""
        told = {"apartment": apartment}
        return self._call("add_apartment", "add_apartment", told, apartment, "1 Torture Street")

    def add_provider(self, provider_id: str, name: str) -> Json | None:
        """Add a provider."""
        told = {"provider_id": provider_id, "name": name}
        return self._call("add_provider", "add_provider", told, provider_id, name)

    def _call(self, action: str, function: str, told: Json, *arguments: Any) -> Json | None:
        """Call until there is an answer; None when the run ended before there was one."""
        began, attempts, answer = self._recorder.now(), 0, None
        while answer is None:
            attempts += 1
            answer = self._attempt(function, arguments)
            if answer is None and self._give_up.wait(_PAUSE_SECONDS):
                break
        self._recorder.record(
            "office",
            action=action,
            args=told,
            answer=answer,
            t0=round(began, 6),
            attempts=attempts,
            unknown=answer is None,
        )
        return answer

    def _attempt(self, function: str, arguments: Sequence[Any]) -> Json | None:
        places = ", ".join(["%s"] * len(arguments))
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT api.{function}({places})", arguments)
                row = cursor.fetchone()
        except _LOST:
            self._drop()
            return None
        answer: Json | None = None if row is None else row[0]
        return answer

    def _drop(self) -> None:
        """Let go of a connection that is of no use any more."""
        kept, self._connection = self._connection, None
        if kept is not None:
            kept.close()

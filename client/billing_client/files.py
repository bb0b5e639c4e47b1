"""What the command keeps on disk: private, written whole or not at all, apart for each resident.

``HOME/<service>/session.json`` holds the tokens, ``HOME/<service>/users/<resident>/`` the
history of each apartment and the payments whose outcome is open. Files have mode 0600 in
folders of mode 0700.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from billing_client.errors import UnexpectedAnswer
from billing_client.fields import Fields
from billing_client.gateway import checked_base_url
from billing_client.history import HistoryState
from billing_client.pending import PendingRequest, key_of
from billing_client.sessions import Session

# Raised when the shape of a file changes: files of another format are read as absent.
FORMAT = 1


def default_home() -> Path:
    """Return the folder for this user's files; BILLING_HOME overrides it."""
    chosen = os.environ.get("BILLING_HOME")
    return Path(chosen) if chosen else user_data_path("utilities-billing", appauthor=False)


def short_hash(text: str) -> str:
    """Return a name for a folder or file that tells nothing and holds no odd character."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, readable by its owner alone, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600 before anything is in it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # dumps is several times as fast as dump, which counts with a long history.
            file.write(json.dumps({"format": FORMAT, **content}, separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_private(path: Path) -> Fields | None:
    """Return what was written; None if there is no file, or none that can be read."""
    try:
        fields = Fields.of(json.loads(path.read_text(encoding="utf-8")), "file")
    except (FileNotFoundError, ValueError, UnexpectedAnswer):
        return None
    return fields if fields.values.get("format") == FORMAT else None


@dataclass(frozen=True)
class ServiceFiles:
    """The files about one service: those of two services, or residents, never meet."""

    home: Path
    base_url: str

    @property
    def folder(self) -> Path:
        """The service's folder; raises ValueError if ``base_url`` is no address."""
        return self.home / short_hash(checked_base_url(self.base_url))

    @property
    def session(self) -> SessionFile:
        return SessionFile(self.folder / "session.json", self.home)

    def of_resident(self, session: Session) -> ResidentFiles:
        return ResidentFiles(self.folder / "users" / short_hash(session.subject))


@dataclass(frozen=True)
class SessionFile:
    """A session store on disk."""

    path: Path
    home: Path

    def load(self) -> Session | None:
        fields = read_private(self.path)
        if fields is None:
            return None
        with suppress(UnexpectedAnswer):
            return Session.from_json(fields.values)
        return None

    def save(self, session: Session) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path, session.as_json())

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class ResidentFiles:
    """What is kept for one resident."""

    folder: Path

    @property
    def pending_payments(self) -> PendingPaymentFiles:
        return PendingPaymentFiles(self.folder / "pending")

    def history(self, apartment_id: str) -> HistoryState | None:
        """Return the history that is kept, None if there is none."""
        fields = read_private(self._history_path(apartment_id))
        if fields is None:
            return None
        with suppress(UnexpectedAnswer):
            return HistoryState.from_json(fields.values)
        return None

    def keep_history(self, state: HistoryState) -> None:
        write_private(self._history_path(state.apartment_id), state.as_json())

    def _history_path(self, apartment_id: str) -> Path:
        return self.folder / "history" / f"{short_hash(apartment_id)}.json"


@dataclass(frozen=True)
class PendingPaymentFiles:
    """Pending payments on disk: they outlive the process that sent them."""

    folder: Path

    def keep(self, pending: PendingRequest) -> None:
        write_private(self._path(key_of(pending)), pending.as_json())

    def forget(self, idempotency_key: str) -> None:
        self._path(idempotency_key).unlink(missing_ok=True)

    def all(self) -> tuple[PendingRequest, ...]:
        """Return the payments, the oldest first."""
        paths = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        found = [read_private(path) for path in paths]
        return tuple(PendingRequest.from_json(item.values) for item in found if item)

    def _path(self, idempotency_key: str) -> Path:
        return self.folder / f"{short_hash(idempotency_key)}.json"

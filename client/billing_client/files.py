"""Sessions, pending payments and history in private files.

`HOME/<service>/session.json` holds the tokens, `HOME/<service>/users/<resident>/` the history of
each apartment and the pending payments. Files have mode 0600 in folders of mode 0700.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_data_path

from billing_client.errors import UnexpectedAnswer
from billing_client.history import HistoryState
from billing_client.models import PendingRequest
from billing_client.storage import Session, SessionStore, current_session, is_session, key_of

# Raise it when the shape of a file changes: files of another format count as absent.
FORMAT = 1
# How the names of files end that are being written.
UNFINISHED = ".new"
# Another process holds the lock for milliseconds, unless it is stopped.
LOCK_SECONDS = 10


def default_home() -> Path:
    """Return the folder for this user's files; BILLING_HOME overrides it."""
    chosen = os.environ.get("BILLING_HOME")
    return Path(chosen) if chosen else user_data_path("utilities-billing", appauthor=False)


def short_hash(text: str) -> str:
    """Return a file name that reveals nothing and has no special characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step, readable by its owner only, so that a crash loses nothing."""
    _make_private(path.parent)
    # mkstemp creates the file with mode 0600 before anything is in it.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=UNFINISHED)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # dumps is several times as fast as dump, which matters with a long history.
            file.write(json.dumps({"format": FORMAT, **content}, separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    # Windows can't open a folder, and needs no sync of it.
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _make_private(folder: Path) -> None:
    """Make a folder and those above it for their owner only; `parents=True` would not."""
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


def read_private(path: Path) -> dict[str, Any] | None:
    """Return what was written; None if there is no file, or it holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    is_ours = isinstance(content, dict) and content.get("format") == FORMAT
    return content if is_ours else None


@dataclass(frozen=True)
class ServiceFiles:
    """The files about one service; two services or two residents never share a file."""

    home: Path
    base_url: str

    @property
    def session(self) -> SessionFile:
        """The store of the session."""
        return SessionFile(self._folder / "session.json", self.home)

    def of_resident(self, session: Session) -> ResidentFiles:
        """Return the files of the resident who is logged in."""
        return ResidentFiles(self._folder / "users" / short_hash(session.subject))

    def pending_payments(self, sessions: SessionStore) -> PendingPaymentFiles:
        """Return the store of the pending payments of whoever is logged in."""
        return PendingPaymentFiles(self, sessions)

    @property
    def _folder(self) -> Path:
        return self.home / short_hash(self.base_url)


@dataclass(frozen=True)
class SessionFile:
    """A session store on disk."""

    path: Path
    home: Path

    def load(self) -> Session | None:
        """Return the session, None if nobody is logged in."""
        with suppress(UnexpectedAnswer):
            return Session.from_json(read_private(self.path))
        return None

    def save(self, session: Session) -> None:
        """Replace the session, whosever it is."""
        with self._locked():
            write_private(self.path, session.as_json())

    def replace(self, old: Session, new: Session) -> bool:
        """Replace the session if it is still the old one; tell whether it was."""
        with self._locked():
            if not is_session(self.load(), old):
                return False
            write_private(self.path, new.as_json())
            return True

    def clear(self) -> None:
        """Forget the session."""
        with self._locked():
            self.path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from changing the session, or wait until they have."""
        _make_private(self.path.parent)
        lock = self.path.with_suffix(".lock")
        with FileLock(lock, mode=0o600, timeout=LOCK_SECONDS):
            # A process that was killed while it wrote has left its tokens behind.
            for unfinished in self.path.parent.glob(f"*{UNFINISHED}"):
                unfinished.unlink(missing_ok=True)
            yield


@dataclass(frozen=True)
class ResidentFiles:
    """The files of one resident."""

    folder: Path

    def history(self, apartment_id: str) -> HistoryState | None:
        """Return the history that was fetched before, None if there is none."""
        with suppress(UnexpectedAnswer):
            return HistoryState.from_json(read_private(self._history_path(apartment_id)))
        return None

    def keep_history(self, state: HistoryState) -> None:
        """Store the history of an apartment."""
        write_private(self._history_path(state.apartment_id), state.as_json())

    def _history_path(self, apartment_id: str) -> Path:
        return self.folder / "history" / f"{short_hash(apartment_id)}.json"


@dataclass(frozen=True)
class PendingPaymentFiles:
    """Pending payments on disk: they outlive the process that sent them."""

    files: ServiceFiles
    sessions: SessionStore
    # Where each payment is, whoever is logged in by the time it is forgotten.
    _known: dict[str, Path] = field(default_factory=dict)

    def keep(self, pending: PendingRequest) -> None:
        """Store a payment under its idempotency key.

        One that is stored already is not written again, so it can be resumed with a full disk.
        """
        path = self._known[key_of(pending)] = self._path(pending)
        if _read_pending(path) != pending:
            write_private(path, pending.as_json())

    def forget(self, pending: PendingRequest) -> None:
        """Remove a payment, if it is there."""
        path = self._known.pop(key_of(pending), None) or self._path(pending)
        path.unlink(missing_ok=True)

    def all(self) -> tuple[PendingRequest, ...]:
        """Return the payments that can be read, the oldest first."""
        found = {path: _read_pending(path) for path in self._paths()}
        readable = {path: pending for path, pending in found.items() if pending}
        self._known.update({key_of(pending): path for path, pending in readable.items()})
        return tuple(readable.values())

    def unreadable(self) -> tuple[Path, ...]:
        """Return files that hold a payment which nobody can ask for any more."""
        found = [path for path in self._paths() if _read_pending(path) is None]
        # Another process may have forgotten one meanwhile.
        return tuple(path for path in found if path.exists())

    def _paths(self) -> list[Path]:
        paths = {path: _modified(path) for path in self._folder.glob("*.json")}
        return sorted(paths, key=paths.__getitem__)

    @property
    def _folder(self) -> Path:
        """Looked up at each use, because a login may change the resident."""
        return self.files.of_resident(current_session(self.sessions)).folder / "pending"

    def _path(self, pending: PendingRequest) -> Path:
        return self._folder / f"{short_hash(key_of(pending))}.json"


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _read_pending(path: Path) -> PendingRequest | None:
    with suppress(ValueError, OSError):
        return PendingRequest.from_json(read_private(path) or {})
    return None

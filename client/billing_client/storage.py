"""Sessions, pending payments and history: kept in memory or in private files.

`HOME/<service>/session.json` holds the tokens, `HOME/<service>/users/<resident>/` the history of
each apartment and the pending payments. Files have mode 0600 in folders of mode 0700.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock
from platformdirs import user_data_path

from billing_client.errors import NotLoggedIn, UnexpectedAnswer
from billing_client.history import HistoryState
from billing_client.models import Apartment, Login, PendingRequest, Tokens
from billing_client.serialization import Fields, decode_login, encode_plain

# Raise it when the shape of a file changes: files of another format count as absent.
FORMAT = 1


@dataclass(frozen=True)
class Session:
    """A login: the resident, their tokens and their apartments."""

    username: str
    login: Login = field(repr=False)

    @property
    def tokens(self) -> Tokens:
        """The credentials of the session."""
        return self.login.tokens

    @property
    def apartments(self) -> tuple[Apartment, ...]:
        """The resident's apartments as of the last login or renewal."""
        return self.login.apartments

    @property
    def subject(self) -> str:
        """The resident's permanent id from the token, else the username.

        It only separates the files of two residents: it is not verified here and grants nothing.
        """
        return _claimed_subject(self.tokens.id_token) or self.username

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {
            "username": self.username,
            "resident": {"name": self.login.resident_name},
            "apartments": [encode_plain(apartment) for apartment in self.apartments],
            "tokens": asdict(self.tokens),
        }

    @classmethod
    def from_json(cls, value: object) -> Session:
        """Read what `as_json` wrote.

        Raises:
            UnexpectedAnswer: `value` is something else.
        """
        fields = Fields.of(value, "session")
        return cls(fields.text("username"), decode_login(fields))


def _claimed_subject(id_token: str) -> str | None:
    try:
        payload = id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None


class SessionStore(Protocol):
    """Stores at most one session."""

    def load(self) -> Session | None:
        """Return the session, None if nobody is logged in."""

    def save(self, session: Session) -> None:
        """Replace the session, whosever it is."""

    def replace(self, old: Session, new: Session) -> bool:
        """Replace the session if it is still the old one; tell whether it was."""

    def clear(self) -> None:
        """Forget the session."""


def current_session(sessions: SessionStore) -> Session:
    """Return the session; raises NotLoggedIn if there is none."""
    session = sessions.load()
    if session is None:
        raise NotLoggedIn("not_logged_in", "You are not logged in.")
    return session


def same_resident(session: Session, expected: Session) -> Session:
    """Return the session; raises NotLoggedIn if it is another resident's."""
    if session.subject != expected.subject:
        raise session_replaced()
    return session


def session_replaced() -> NotLoggedIn:
    """Return the error for a session that is another resident's by now."""
    message = "Another resident has logged in on this machine meanwhile."
    return NotLoggedIn("session_replaced", message)


def _is_session(found: Session | None, expected: Session) -> bool:
    return found is not None and found.tokens == expected.tokens


class PendingPayments(Protocol):
    """Stores payments whose outcome is not known yet."""

    def keep(self, pending: PendingRequest) -> None:
        """Store a payment under its idempotency key."""

    def forget(self, pending: PendingRequest) -> None:
        """Remove a payment, if it is there."""

    def all(self) -> tuple[PendingRequest, ...]:
        """Return the payments, the oldest first."""


class SessionInMemory:
    """Keeps the session as long as the process lives."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        self._lock = threading.Lock()

    def load(self) -> Session | None:
        """Return the session, None if nobody is logged in."""
        return self._session

    def save(self, session: Session) -> None:
        """Replace the session, whosever it is."""
        with self._lock:
            self._session = session

    def replace(self, old: Session, new: Session) -> bool:
        """Replace the session if it is still the old one; tell whether it was."""
        with self._lock:
            if not _is_session(self._session, old):
                return False
            self._session = new
            return True

    def clear(self) -> None:
        """Forget the session."""
        with self._lock:
            self._session = None


class PendingPaymentsInMemory:
    """Keeps pending payments as long as the process lives."""

    def __init__(self) -> None:
        self._payments: dict[str, PendingRequest] = {}

    def keep(self, pending: PendingRequest) -> None:
        """Store a payment under its idempotency key."""
        self._payments[key_of(pending)] = pending

    def forget(self, pending: PendingRequest) -> None:
        """Remove a payment, if it is there."""
        self._payments.pop(key_of(pending), None)

    def all(self) -> tuple[PendingRequest, ...]:
        """Return the payments, the oldest first."""
        return tuple(self._payments.values())


def key_of(pending: PendingRequest) -> str:
    """Return the idempotency key, without which a payment can't be asked for again."""
    if pending.idempotency_key is None:
        raise ValueError("a pending payment needs its idempotency key")
    return pending.idempotency_key


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
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
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
    """Return what was written; None if there is no file, or it can't be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
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
            if not _is_session(self.load(), old):
                return False
            write_private(self.path, new.as_json())
            return True

    def clear(self) -> None:
        """Forget the session."""
        with self._locked():
            self.path.unlink(missing_ok=True)

    def _locked(self) -> FileLock:
        """Keep other processes from changing the session, or wait until they have."""
        _make_private(self.path.parent)
        return FileLock(self.path.with_suffix(".lock"), mode=0o600)


class OneResidentsSession:
    """The session of one run: a login of somebody else meanwhile does not change who acts."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions
        self._first: Session | None = None

    def load(self) -> Session | None:
        """Return the session, None if nobody is logged in; raises NotLoggedIn."""
        session = self._sessions.load()
        self._first = self._first or session
        if session and self._first:
            return same_resident(session, self._first)
        return session

    def save(self, session: Session) -> None:
        """Replace the session, whosever it is."""
        self._first = session
        self._sessions.save(session)

    def replace(self, old: Session, new: Session) -> bool:
        """Replace the session if it is still the old one; tell whether it was."""
        return self._sessions.replace(old, new)

    def clear(self) -> None:
        """Forget the session."""
        self._sessions.clear()


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
        """Store a payment under its idempotency key."""
        path = self._known[key_of(pending)] = self._path(pending)
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
    with suppress(ValueError):
        return PendingRequest.from_json(read_private(path) or {})
    return None

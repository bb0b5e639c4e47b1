"""Who is logged in and which payments are pending: what a client stores, and stores in memory.

`files` has the stores on disk.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from billing_client.errors import NotLoggedIn
from billing_client.models import Apartment, Login, PendingRequest, Tokens
from billing_client.serialization import Fields, decode_login, encode_plain


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


def is_session(found: Session | None, expected: Session) -> bool:
    """Tell whether a stored session is this one, and not a renewed or another one."""
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
            if not is_session(self._session, old):
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

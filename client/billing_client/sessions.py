"""Who is logged in, and where that is remembered."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from billing_client.answers import Apartment, Login, Tokens
from billing_client.decoding import decode_login
from billing_client.encoding import encode_apartment
from billing_client.fields import Fields


@dataclass(frozen=True)
class Session:
    """A login that stands: the resident, their tokens and their apartments."""

    username: str
    login: Login = field(repr=False)

    @property
    def tokens(self) -> Tokens:
        return self.login.tokens

    @property
    def apartments(self) -> tuple[Apartment, ...]:
        return self.login.apartments

    @property
    def subject(self) -> str:
        """The resident's permanent id from the token, else the username.

        It only keeps the files of two residents apart: it is not verified here and grants
        nothing.
        """
        return _claimed_subject(self.tokens.id_token) or self.username

    def as_json(self) -> dict[str, Any]:
        tokens = self.tokens
        return {
            "username": self.username,
            "resident": {"name": self.login.resident_name},
            "apartments": [encode_apartment(apartment) for apartment in self.apartments],
            "tokens": {
                "id_token": tokens.id_token,
                "access_token": tokens.access_token,
                "refresh_token": tokens.refresh_token,
                "expires_in_seconds": tokens.expires_in_seconds,
            },
        }

    @classmethod
    def from_json(cls, value: object) -> Session:
        """Read what ``as_json`` wrote; raises UnexpectedAnswer if it is something else."""
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
    """Remembers at most one session."""

    def load(self) -> Session | None: ...

    def save(self, session: Session) -> None: ...

    def clear(self) -> None: ...


class SessionInMemory:
    """Remembers the session as long as the process lives."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session

    def load(self) -> Session | None:
        return self._session

    def save(self, session: Session) -> None:
        self._session = session

    def clear(self) -> None:
        self._session = None

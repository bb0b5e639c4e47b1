"""Who someone is: logins and tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the client shows from now on. Never printed: a token in a log is a login."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A login that succeeded: the user's immutable id (`sub`) and their tokens."""

    subject: UUID
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a resident types. `new_password` answers the demand for one."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    new_password: str | None = field(default=None, repr=False)


class IdentityProvider(Protocol):
    """Logs users in. Raises `Rejection` with a login code, `Unavailable` when it doesn't answer."""

    def sign_in(self, credentials: Credentials) -> SignedIn:
        """Check the credentials and return tokens."""

    def refresh(self, *, refresh_token: str) -> SignedIn:
        """Return new tokens; the refresh token stays the same."""

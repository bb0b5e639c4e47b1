"""A resident logs in, or stays logged in."""

from __future__ import annotations

from dataclasses import dataclass

from billing_app.domain.errors import Rejection
from billing_app.ports.identity import Credentials, IdentityProvider, SignedIn, Tokens
from billing_app.ports.ledger import Account, Ledger


@dataclass(frozen=True, slots=True)
class Session:
    """A resident who is logged in."""

    account: Account
    tokens: Tokens


def log_in(*, identity: IdentityProvider, ledger: Ledger, credentials: Credentials) -> Session:
    """Log a resident in with their password.

    Raises:
        Rejection: a login code; an unknown user and a wrong password read alike.
        Unavailable: the identity provider or the database does not answer.
    """
    return _session(ledger, identity.sign_in(credentials))


def refresh_session(*, identity: IdentityProvider, ledger: Ledger, refresh_token: str) -> Session:
    """Log a resident in with a refresh token instead of a password.

    Raises:
        Rejection: `session_expired`, `account_disabled`, `resident_not_found`.
        Unavailable: the identity provider or the database does not answer.
    """
    return _session(ledger, identity.refresh(refresh_token=refresh_token))


def _session(ledger: Ledger, signed_in: SignedIn) -> Session:
    account = ledger.account(subject=signed_in.subject)
    if account is None:
        raise Rejection("resident_not_found")
    return Session(account, signed_in.tokens)

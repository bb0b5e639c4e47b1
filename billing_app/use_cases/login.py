"""A resident logs in, or stays logged in."""

from __future__ import annotations

from typing import Any

from billing_app.domain.errors import Rejection
from billing_app.ports.identity import Credentials, IdentityProvider, SignedIn, Tokens
from billing_app.ports.ledger import Account, Ledger

Json = dict[str, Any]


def log_in(*, identity: IdentityProvider, ledger: Ledger, credentials: Credentials) -> Json:
    """Return the resident, their tokens and their apartments.

    Raises:
        Rejection: a login code; an unknown user and a wrong password read alike.
        Unavailable: the identity provider or the database does not answer.
    """
    return _session(ledger, identity.sign_in(credentials))


def refresh_session(*, identity: IdentityProvider, ledger: Ledger, refresh_token: str) -> Json:
    """Return what a login returns, for a refresh token instead of a password.

    Raises:
        Rejection: `session_expired`, `account_disabled`, `resident_not_found`.
        Unavailable: the identity provider or the database does not answer.
    """
    return _session(ledger, identity.refresh(refresh_token=refresh_token))


def _session(ledger: Ledger, signed_in: SignedIn) -> Json:
    account = ledger.account(subject=signed_in.subject)
    if account is None:
        raise Rejection("resident_not_found")
    return {
        "resident": {"name": account.name},
        "tokens": _tokens_json(signed_in.tokens),
        "apartments": _apartments_json(account),
    }


def _tokens_json(tokens: Tokens) -> Json:
    return {
        "id_token": tokens.id_token,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_in_seconds": tokens.expires_in_seconds,
    }


def _apartments_json(account: Account) -> list[Json]:
    return [
        {"apartment_id": str(apartment.apartment_id), "address": apartment.address}
        for apartment in account.apartments
    ]

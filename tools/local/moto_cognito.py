"""Moto's Cognito, with users that survive a restart and tokens that last as long as they should.

Moto keeps users in memory, but a resident's `sub` must not change. Kept are pools with all that is
in them, but for issued id and access tokens: moto's signing key is fixed, so they stay good.
"""

from __future__ import annotations

import pickle
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUserPool,
    UserStatus,
    cognitoidp_backends,
)
from moto.core.exceptions import JsonRESTError

from tools.local.files import write_private
from tools.local.settings import ACCOUNT_ID

# Enough for any sitting at one machine; it bounds the file, which is written on each change.
_REFRESH_TOKENS_KEPT = 2000
_NOT_KEPT = ("json_web_key", "access_tokens", "id_tokens")
_READS = ("Describe", "List", "Get", "AdminGet", "AdminList")
_VALIDITY = {"id": "IdTokenValidity", "access": "AccessTokenValidity"}


def install() -> None:
    """Let tokens end when their app client says, and an invitation be sent anew."""
    _let_tokens_last_as_said()
    _let_invitations_be_sent_anew()


def _let_invitations_be_sent_anew() -> None:
    """Keep the user to whom an invitation is sent again; moto makes another, with a new `sub`."""
    cognito: Any = CognitoIdpBackend
    create = cognito.admin_create_user

    def admin_create_user(self: Any, pool: str, username: str, action: str, *more: Any) -> Any:
        if action != "RESEND":
            return create(self, pool, username, action, *more)
        user = self.admin_get_user(pool, username)
        if user.status != UserStatus.FORCE_CHANGE_PASSWORD:
            raise JsonRESTError("UnsupportedUserStateException", "Resend not possible.")
        user.password = secrets.token_urlsafe()
        return user

    cognito.admin_create_user = admin_create_user


def _let_tokens_last_as_said() -> None:
    """Let each id and access token end after as many minutes as its app client has.

    Moto's own last for an hour, whatever the client says.
    """
    pool: Any = CognitoIdpUserPool
    create = pool.create_jwt

    def create_jwt(self: Any, client_id: str, username: str, use: str, **named: Any) -> Any:
        minutes = self.clients[client_id].extended_config.get(_VALIDITY[use], 60)
        return create(self, client_id, username, use, **{"expires_in": 60 * minutes} | named)

    pool.create_jwt = create_jwt


class CognitoFile:
    """The file that Cognito's state is read from at the start and written to on each change."""

    def __init__(self, path: Path, region: str) -> None:
        self._path = path
        self._cognito = cognitoidp_backends[ACCOUNT_ID][region]
        self._lock = threading.Lock()

    def load(self) -> None:
        """Restore the pools of the last run, if there was one."""
        if not self._path.exists():
            return
        # Written by us, for our eyes only.
        for state in pickle.loads(self._path.read_bytes()):  # noqa: S301
            pool = CognitoIdpUserPool(ACCOUNT_ID, self._cognito.region_name, state["name"], {})
            vars(pool).update(state)
            self._cognito.user_pools[pool.id] = pool

    @contextmanager
    def during(self, action: str) -> Iterator[None]:
        """Let nothing else happen during an action of Cognito, and save what it has changed."""
        with self._lock:
            yield
            if not action.startswith(_READS):
                pools = [_state(pool) for pool in self._cognito.user_pools.values()]
                write_private(self._path, pickle.dumps(pools))


def _state(pool: CognitoIdpUserPool) -> dict[str, Any]:
    tokens = list(pool.refresh_tokens.items())[-_REFRESH_TOKENS_KEPT:]
    kept = {name: value for name, value in vars(pool).items() if name not in _NOT_KEPT}
    return kept | {"refresh_tokens": dict(tokens)}

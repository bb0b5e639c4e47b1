"""Calls on behalf of the resident who is logged in, with a renewal when the token is over."""

from __future__ import annotations

import threading
from collections.abc import Callable

from billing_client.clock import Deadline
from billing_client.errors import AnswerTimeout, GatewayRejected, NotLoggedIn
from billing_client.fields import Fields
from billing_client.gateway import Call, Gateway
from billing_client.sessions import Session, SessionStore

Renew = Callable[[Session, Deadline], Session]


def current_session(sessions: SessionStore) -> Session:
    """Return the session; raises NotLoggedIn if there is none."""
    session = sessions.load()
    if session is None:
        raise NotLoggedIn("not_logged_in", "You are not logged in.")
    return session


class Authorized:
    """Sends calls with the id token, and once more with a renewed one after a 401."""

    def __init__(self, gateway: Gateway, sessions: SessionStore, renew: Renew) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._renew = renew
        self._lock = threading.Lock()

    def send(self, call: Call, deadline: Deadline) -> Fields:
        """Return the answer; raises NotLoggedIn where no renewal helps."""
        session = current_session(self._sessions)
        try:
            return self._with_token(call, deadline, session)
        except GatewayRejected as rejected:
            if rejected.http_status != 401:
                raise
        return self._after_renewal(call, deadline, session)

    def _with_token(self, call: Call, deadline: Deadline, session: Session) -> Fields:
        return self._gateway.send(call, deadline=deadline, token=session.tokens.id_token)

    def _after_renewal(self, call: Call, deadline: Deadline, rejected: Session) -> Fields:
        renewed = self._renewed(rejected, deadline)
        try:
            return self._with_token(call, deadline, renewed)
        except GatewayRejected as again:
            if again.http_status != 401:
                raise
            raise NotLoggedIn("session_expired", "Your login is not accepted any more.") from again

    def _renewed(self, rejected: Session, deadline: Deadline) -> Session:
        """Renew once, however many threads were rejected with the same token."""
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise AnswerTimeout("The login was not renewed in time.", pending=None)
        try:
            session = current_session(self._sessions)
            if session.tokens.id_token != rejected.tokens.id_token:
                return session
            return self._renew(session, deadline)
        finally:
            self._lock.release()

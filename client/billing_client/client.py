"""The client of the billing service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import httpx

from billing_client.answers import Apartment, Debts, HistoryEvent, HistoryPart, Login, Receipt
from billing_client.authorization import Authorized, current_session
from billing_client.clock import Clock, Deadline, SystemClock
from billing_client.decoding import (
    decode_debts,
    decode_history_part,
    decode_login,
)
from billing_client.errors import AnswerTimeout, NotLoggedIn, RequestRejected
from billing_client.exchange import Exchange
from billing_client.fields import Fields
from billing_client.gateway import Call, Gateway
from billing_client.history import HistoryState, sync_steps
from billing_client.payments import Payments
from billing_client.pending import (
    AUTH,
    HISTORIES,
    PAYMENTS,
    UTILS,
    PendingPayments,
    PendingPaymentsInMemory,
    PendingRequest,
    apartment_path,
    payment_request,
)
from billing_client.sessions import Session, SessionInMemory, SessionStore

Answer = Login | Debts | Receipt | tuple[HistoryPart, ...]


class BillingClient:
    """Talks to the service over HTTP and hides its queues.

    Every call returns or raises within ``timeout_seconds``. Threads may share a client: its
    calls share one reply queue and hand each other what is not their own. Any call may raise
    NotLoggedIn, GatewayRejected, ConnectionFailed, ServiceFailed and AnswerTimeout.
    """

    def __init__(
        self,
        base_url: str,
        *,
        sessions: SessionStore | None = None,
        pending_payments: PendingPayments | None = None,
        timeout_seconds: float = 30.0,
        http: httpx.Client | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ValueError if ``base_url`` is no address. Nothing is sent yet."""
        self.timeout_seconds = timeout_seconds
        self._clock = clock or SystemClock()
        self._gateway = Gateway(base_url, http)
        self._sessions = sessions or SessionInMemory()
        self._public = Exchange(self._send_public, self._clock)
        authorized = Authorized(self._gateway, self._sessions, self._renew)
        self._exchange = Exchange(authorized.send, self._clock)
        self.pending_payments = pending_payments or PendingPaymentsInMemory()
        self._payments = Payments(self._exchange, self.pending_payments)

    def __enter__(self) -> BillingClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays."""
        self._gateway.close()

    @property
    def session(self) -> Session | None:
        """Who is logged in."""
        return self._sessions.load()

    @property
    def apartments(self) -> tuple[Apartment, ...]:
        """The resident's apartments as of the last login or renewal; raises NotLoggedIn."""
        return current_session(self._sessions).apartments

    def login(self, username: str, password: str, new_password: str | None = None) -> Login:
        """Open a session, with a new password where one is demanded.

        Raises RequestRejected with the codes of a login: ``invalid_credentials``,
        ``new_password_required``, ``account_disabled`` and others.
        """
        secret = {"username": username, "password": password}
        if new_password is not None:
            secret["new_password"] = new_password
        login = decode_login(self._authenticate(secret, self._deadline()))
        self._sessions.save(Session(username, login))
        return login

    def refresh(self) -> Login:
        """Renew the tokens and the list of apartments; raises NotLoggedIn if that is over."""
        return self._renew(current_session(self._sessions), self._deadline()).login

    def logout(self) -> None:
        """Forget the tokens. The service lets them run out by themselves."""
        self._sessions.clear()

    def debts(self, apartment_id: str) -> Debts:
        """Return the open bills; raises RequestRejected (``apartment_not_found``)."""
        pending = PendingRequest(UTILS, apartment_path(apartment_id, UTILS), "")
        return decode_debts(self._exchange.ask(pending, self._deadline()))

    def pay(
        self,
        apartment_id: str,
        bill_ids: Sequence[str],
        *,
        expected_total_minor: int | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Pay bills, all of them or none, and return the receipt.

        The key is made before anything is sent. Any error that leaves the outcome open carries
        ``pending``, which ``collect`` and ``resume_payment`` turn into the outcome, without
        ever paying twice. Raises RequestRejected where nothing was paid.
        """
        pending = payment_request(
            apartment_id,
            bill_ids,
            expected_total_minor=expected_total_minor,
            idempotency_key=idempotency_key,
        )
        return self._payments.pay(pending, self._deadline())

    def resume_payment(self, pending: PendingRequest) -> Receipt:
        """Ask for the outcome of a payment, by sending it again under the same key."""
        return self._payments.resume(pending, self._deadline())

    def collect(self, pending: PendingRequest) -> Answer:
        """Fetch the answer that an earlier call did not wait for.

        The service keeps an answer for a quarter of an hour, that of a payment for ever. A
        request that was not accepted is sent again; a login has to be made anew.
        """
        if pending.operation == PAYMENTS:
            return self.resume_payment(pending)
        deadline = self._deadline()
        exchange = self._public if pending.operation == AUTH else self._exchange
        if pending.request_id is None and pending.operation != AUTH:
            return _decoded(pending.operation, exchange.ask(pending, deadline))
        return _decoded(pending.operation, exchange.collect(pending, deadline))

    def history(self, apartment_id: str) -> tuple[HistoryEvent, ...]:
        """Return all settled bills that the resident may see, in the order of posting."""
        return self.sync_history(HistoryState(apartment_id)).events

    def sync_history(self, state: HistoryState) -> HistoryState:
        """Return the state brought up to date; only what it lacks is fetched."""
        for step in self.history_steps(state):
            state = step
        return state

    def history_steps(self, state: HistoryState) -> Iterator[HistoryState]:
        """Yield the state after each part that comes: keep the latest, lose nothing."""
        deadline = self._deadline()
        return sync_steps(lambda held: self._history_answer(held, deadline), state)

    def _history_answer(self, held: HistoryState, deadline: Deadline) -> list[HistoryPart]:
        path = apartment_path(held.apartment_id, HISTORIES)
        pending = PendingRequest(HISTORIES, path, "", body=held.request_body())
        return [decode_history_part(part) for part in self._exchange.ask(pending, deadline)]

    def _deadline(self) -> Deadline:
        return Deadline.after(self.timeout_seconds, self._clock)

    def _send_public(self, call: Call, deadline: Deadline) -> Fields:
        return self._gateway.send(call, deadline=deadline)

    def _authenticate(self, secret: dict[str, Any], deadline: Deadline) -> Fields:
        pending = PendingRequest(AUTH, "/auth", "")
        return self._public.ask(pending, deadline, secret_body=secret)[0]

    def _renew(self, session: Session, deadline: Deadline) -> Session:
        token = session.tokens.refresh_token
        try:
            data = self._authenticate({"refresh_token": token}, deadline)
        except RequestRejected as rejected:
            raise NotLoggedIn(rejected.code, "Your login has ended.") from rejected
        except AnswerTimeout as late:
            raise AnswerTimeout("The login was not renewed in time.", pending=None) from late
        renewed = replace(session, login=decode_login(data, refresh_token=token))
        self._sessions.save(renewed)
        return renewed


def _decoded(operation: str, parts: list[Fields]) -> Answer:
    if operation == AUTH:
        return decode_login(parts[0])
    if operation == UTILS:
        return decode_debts(parts)
    return tuple(decode_history_part(part) for part in parts)

"""The client of the billing service."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import httpx

from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    NotLoggedIn,
    RequestRejected,
    UnexpectedAnswer,
)
from billing_client.history import HistoryState, sync_steps
from billing_client.models import (
    Apartment,
    Debts,
    HistoryEvent,
    HistoryPart,
    Login,
    PendingRequest,
    Receipt,
)
from billing_client.request_reply import RequestReply
from billing_client.serialization import (
    Fields,
    decode_debts,
    decode_history_part,
    decode_login,
    decode_receipt,
    joined_login,
)
from billing_client.storage import (
    PendingPayments,
    PendingPaymentsInMemory,
    Session,
    SessionInMemory,
    SessionStore,
    current_session,
    same_resident,
    session_replaced,
)
from billing_client.transport import Clock, Deadline, HttpTransport, SessionTransport

log = logging.getLogger("billing_client")

# Operations, as the API calls them.
AUTH, UTILS, PAYMENTS, HISTORIES = "auth", "utils", "payments", "histories"

# Rejections of a repetition that say nothing of the first request: it may still be carried out, or
# have been. The first comes from a service that is older than its contract.
NOT_ABOUT_THE_PAYMENT = {"invalid_request", "too_many_rejections"}

# `maximum` of `asked_seconds_ago` in the API contract.
MAX_AGE_SECONDS = 2**31 - 1

Answer = Login | Debts | Receipt | tuple[HistoryPart, ...]


class BillingClient:
    """Talks to the service over HTTP and hides its queues.

    Every call returns or raises within `timeout_seconds`. Threads may share a client: its calls
    share one reply queue. Any call may raise NotLoggedIn, GatewayRejected, ConnectionFailed,
    ServiceFailed and AnswerTimeout.
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
        """Prepare the client; nothing is sent yet.

        Raises:
            ValueError: `base_url` is not an http:// or https:// address.
        """
        self.timeout_seconds = timeout_seconds
        self.pending_payments = pending_payments or PendingPaymentsInMemory()
        self._clock = clock or time
        self._sessions = sessions or SessionInMemory()
        self._http = HttpTransport(base_url, http)
        # Whoever knows the queue of a login can read its tokens: each has its own.
        self._public = RequestReply(self._http, self._clock, idle_seconds=0.0)
        with_session = SessionTransport(self._http, self._sessions, self._renew)
        self._requests = RequestReply(with_session, self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays."""
        self._http.close()

    @property
    def session(self) -> Session | None:
        """The current session, None if nobody is logged in."""
        return self._sessions.load()

    @property
    def apartments(self) -> tuple[Apartment, ...]:
        """The resident's apartments as of the last login or renewal; raises NotLoggedIn."""
        return current_session(self._sessions).apartments

    def login(self, username: str, password: str, new_password: str | None = None) -> Login:
        """Open a session, and set a new password if the service requires one.

        Raises:
            RequestRejected: `invalid_credentials`, `new_password_required`, `account_disabled`
                and others.
        """
        secret = {"username": username, "password": password}
        if new_password is not None:
            secret["new_password"] = new_password
        login = decode_login(self._authenticate(secret, self._deadline()))
        self._sessions.save(Session(username, login))
        return login

    def refresh(self) -> Login:
        """Renew the tokens and the list of apartments.

        Raises:
            NotLoggedIn: There is no session, or it has ended.
        """
        return self._renew(current_session(self._sessions), self._deadline()).login

    def logout(self) -> None:
        """Forget the tokens. They stay valid at the service until they expire."""
        self._sessions.clear()

    def debts(self, apartment_id: str) -> Debts:
        """Return the open bills; raises RequestRejected (`apartment_not_found`)."""
        pending = PendingRequest(UTILS, _apartment_path(apartment_id, UTILS))
        return decode_debts(self._requests.ask(pending, self._deadline()))

    def pay(
        self,
        apartment_id: str,
        bill_ids: Sequence[str],
        *,
        expected_total_minor: int | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Pay bills, all of them or none, and return the receipt.

        The payment gets its idempotency key and is stored in `pending_payments` before anything
        is sent. Any error that leaves the outcome open has `pending`: pass it to `collect` or
        `resume_payment` to get the outcome. They never pay twice. A key of a payment that is
        pending resumes that payment.

        Raises:
            RequestRejected: Nothing was paid.
            ValueError: `idempotency_key` is that of another payment, which is pending.
        """
        body: dict[str, Any] = {"bills_id": list(bill_ids)}
        if expected_total_minor is not None:
            body["expected_total_minor"] = expected_total_minor
        pending = PendingRequest(
            PAYMENTS,
            _apartment_path(apartment_id, PAYMENTS),
            idempotency_key=idempotency_key or str(uuid.uuid4()),
            body=body,
            asked_at=int(self._clock.time()),
        )
        if idempotency_key is not None:
            for earlier in self.pending_payments.all():
                if earlier.idempotency_key == idempotency_key:
                    return self._resume_same(earlier, pending)
        self.pending_payments.keep(pending)
        try:
            return self._paid(pending)
        except BillingError as error:
            if error.pending is None:
                self._forget(pending)
            raise

    def resume_payment(self, pending: PendingRequest) -> Receipt:
        """Get the outcome of a payment by sending it again under its key.

        It may have been carried out the first time, so it stays pending until the service answers
        for this very payment. If it never arrived, it is made now, but not when more than
        90 minutes have passed since `pay`.

        Raises:
            RequestRejected: Nothing was paid; `request_expired` if it is too late for it now.
        """
        self.pending_payments.keep(pending)
        try:
            return self._paid(pending)
        except RequestRejected as rejected:
            if rejected.code in NOT_ABOUT_THE_PAYMENT:
                raise rejected.with_pending(pending) from rejected
            self._forget(pending)
            raise
        except BillingError as error:
            raise error.with_pending(error.pending or pending) from error

    def collect(self, pending: PendingRequest) -> Answer:
        """Fetch the answer to a request whose call timed out.

        The service keeps an answer for a quarter of an hour, that of a payment for ever. A
        request that was not accepted is sent again, except for a login: log in again.
        """
        if pending.operation == PAYMENTS:
            return self.resume_payment(pending)
        if pending.operation == AUTH:
            return decode_login(joined_login(self._public.collect(pending, self._deadline())))
        fetch = self._requests.ask if pending.request_id is None else self._requests.collect
        parts = fetch(pending, self._deadline())
        if pending.operation == UTILS:
            return decode_debts(parts)
        return tuple(decode_history_part(part) for part in parts)

    def history(self, apartment_id: str) -> tuple[HistoryEvent, ...]:
        """Return all paid bills that the resident may see, in the order of posting."""
        return self.sync_history(HistoryState(apartment_id)).events

    def sync_history(self, state: HistoryState) -> HistoryState:
        """Return the state brought up to date; only what it lacks is fetched."""
        for step in self.history_steps(state):
            state = step
        return state

    def history_steps(self, state: HistoryState) -> Iterator[HistoryState]:
        """Yield the state after each part that arrives; store the latest to continue later."""
        deadline = self._deadline()

        def ask(held: HistoryState) -> list[HistoryPart]:
            path = _apartment_path(held.apartment_id, HISTORIES)
            pending = PendingRequest(HISTORIES, path, body=held.request_body())
            return [decode_history_part(part) for part in self._requests.ask(pending, deadline)]

        return sync_steps(ask, state)

    def _deadline(self) -> Deadline:
        return Deadline.after(self.timeout_seconds, self._clock)

    def _resume_same(self, earlier: PendingRequest, again: PendingRequest) -> Receipt:
        if (earlier.path, earlier.body) != (again.path, again.body):
            raise ValueError("this idempotency key is that of another payment, which is pending")
        return self.resume_payment(earlier)

    def _paid(self, pending: PendingRequest) -> Receipt:
        begun = current_session(self._sessions)
        try:
            parts = self._requests.ask(pending, self._deadline(), unkept_body=self._age(pending))
            receipt = decode_receipt(parts)
        except UnexpectedAnswer as error:
            # What the answer says is not known, so the payment may have been made.
            raise error.with_pending(pending) from error
        except RequestRejected as rejected:
            session = self._sessions.load()
            if session is None or session.subject == begun.subject:
                raise
            # Another resident's rejection says nothing about a payment that this one began.
            raise session_replaced().with_pending(pending) from rejected
        self._forget(pending)
        return receipt

    def _age(self, pending: PendingRequest) -> dict[str, int]:
        """Tell how long ago a payment was asked for, so that an old one is not made any more.

        Both times are of this machine, so it matters little if its clock is wrong.
        """
        seconds = int(self._clock.time()) - pending.asked_at
        return {"asked_seconds_ago": min(seconds, MAX_AGE_SECONDS)} if seconds > 0 else {}

    def _forget(self, pending: PendingRequest) -> None:
        """Forget a payment whose outcome is known; a failure must not hide that outcome."""
        try:
            self.pending_payments.forget(pending)
        except (OSError, BillingError) as error:
            log.warning("a payment stays pending: %s", error)

    def _authenticate(self, secret: dict[str, Any], deadline: Deadline) -> Fields:
        pending = PendingRequest(AUTH, "/auth")
        return joined_login(self._public.ask(pending, deadline, unkept_body=secret))

    def _renew(self, session: Session, deadline: Deadline) -> Session:
        token = session.tokens.refresh_token
        try:
            data = self._authenticate({"refresh_token": token}, deadline)
        except RequestRejected as rejected:
            expired = rejected.code == "session_expired"
            message = "Your login has expired." if expired else rejected.message
            raise NotLoggedIn(rejected.code, message) from rejected
        except AnswerTimeout as late:
            raise AnswerTimeout("The login was not renewed in time.", pending=None) from late
        except BillingError as error:
            # The login that was not renewed is no request whose outcome anybody waits for.
            raise error.with_pending(None) from error
        renewed = replace(session, login=decode_login(data, refresh_token=token))
        if self._sessions.replace(session, renewed):
            return renewed
        return same_resident(current_session(self._sessions), session)


def _apartment_path(apartment_id: str, operation: str) -> str:
    """Return the path of an operation; raises ValueError if the id is not a UUID."""
    return f"/apartments/{uuid.UUID(apartment_id)}/{operation}"

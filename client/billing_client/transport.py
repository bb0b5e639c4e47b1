"""HTTP: one request at a time, within a deadline, with the session's token where one is needed."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

from billing_client.errors import (
    AnswerTimeout,
    BillingError,
    ConnectionFailed,
    GatewayRejected,
    NotLoggedIn,
    UnexpectedAnswer,
)
from billing_client.serialization import Fields
from billing_client.storage import Session, SessionStore, current_session, same_resident

CONNECT_SECONDS = 5.0
# What the gateway itself may take, on top of the long poll that was asked for.
GATEWAY_SECONDS = 9.0
# Far above five replies of 200 KB each each: a larger answer is not from our service.
ANSWER_MAX_BYTES = 32_000_000


class Clock(Protocol):
    """Time and waiting, in seconds, as the module `time` has them."""

    def time(self) -> float:
        """Return the seconds since 1970."""

    def monotonic(self) -> float:
        """Return the seconds since some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class Deadline:
    """The moment by which a call returns or raises."""

    at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """Return the deadline that is some seconds away."""
        return cls(clock.monotonic() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Tell whether no time is left."""
        return self.remaining() <= 0

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline."""
        self.clock.sleep(min(seconds, self.remaining()))


class Backoff:
    """Pauses that double up to a cap.

    Each is shortened at random, so that clients that failed together don't return together.
    """

    def __init__(self, *, first_seconds: float = 0.1, cap_seconds: float = 2.0) -> None:
        self._first = first_seconds
        self._cap = cap_seconds
        self._random = random.SystemRandom()
        self._next = first_seconds

    def next_pause(self) -> float:
        """Return the seconds to pause now, and double the next pause."""
        pause = self._next
        self._next = min(self._cap, self._next * 2)
        return pause * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start with the first pause again."""
        self._next = self._first


@dataclass(frozen=True)
class Request:
    """A request of the API. `wait_seconds` is how long the gateway may hold it."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0


class Transport(Protocol):
    """Sends one request and returns the JSON object of the answer."""

    def send(self, request: Request, deadline: Deadline) -> Fields:
        """Return the answer; raises BillingError."""


class HttpTransport:
    """Sends requests over HTTP, with an id token if there is one."""

    def __init__(self, base_url: str, http: httpx.Client | None = None) -> None:
        """Keep the address; nothing is sent yet.

        Raises:
            ValueError: `base_url` is not an http:// or https:// address.
        """
        self.base_url = checked_base_url(base_url)
        self._owns_client = http is None
        # Certificates are slow to load and not needed without TLS; redirects, which could lead
        # to it, are not followed.
        tls = self.base_url.startswith("https:")
        self._http = http or httpx.Client(follow_redirects=False, verify=tls)

    def close(self) -> None:
        """Close the connections, unless the caller brought their own."""
        if self._owns_client:
            self._http.close()

    def send(self, request: Request, deadline: Deadline, token: str | None = None) -> Fields:
        """Return the JSON object of a 2xx answer; empty for an answer without content.

        Raises:
            GatewayRejected: The answer has another status.
            ConnectionFailed: There was no answer.
            UnexpectedAnswer: A 2xx answer is not a JSON object.
        """
        try:
            response, content = self._exchange(request, deadline, token)
        except httpx.RequestError as error:
            # Also an answer that a proxy cut or encoded wrongly: the request had arrived.
            raise _connection_failed(self.base_url, error) from error
        if not response.is_success:
            raise _rejection(response, content)
        return _json_object(content) if content else Fields({}, "answer")

    def _exchange(
        self, request: Request, deadline: Deadline, token: str | None
    ) -> tuple[httpx.Response, bytes]:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        with self._http.stream(
            request.method,
            self.base_url + request.path,
            json=request.body,
            params=request.query,
            headers={"Accept": "application/json", **request.headers, **authorization},
            timeout=_timeout(request, deadline),
        ) as response:
            return response, _read(response, deadline)


class SessionTransport:
    """Sends requests with the session's id token, and once more with a new one after a 401."""

    def __init__(
        self,
        http: HttpTransport,
        sessions: SessionStore,
        renew: Callable[[Session, Deadline], Session],
    ) -> None:
        self._http = http
        self._sessions = sessions
        self._renew = renew
        self._lock = threading.Lock()

    def send(self, request: Request, deadline: Deadline) -> Fields:
        """Return the answer.

        Raises:
            NotLoggedIn: There is no session, or it can't be renewed.
        """
        session = current_session(self._sessions)
        try:
            return self._http.send(request, deadline, session.tokens.id_token)
        except GatewayRejected as rejected:
            if rejected.http_status != 401 or not rejected.from_gateway:
                raise
        renewed = self._renewed(session, deadline)
        try:
            return self._http.send(request, deadline, renewed.tokens.id_token)
        except GatewayRejected as again:
            if again.http_status != 401 or not again.from_gateway:
                raise
            message = "The service no longer accepts your login."
            raise NotLoggedIn("session_expired", message) from again

    def _renewed(self, rejected: Session, deadline: Deadline) -> Session:
        """Renew once, however many threads were rejected with the same token."""
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise AnswerTimeout("The login was not renewed in time.", pending=None)
        try:
            session = current_session(self._sessions)
            if session.tokens.id_token != rejected.tokens.id_token:
                return same_resident(session, rejected)
            return self._renew(session, deadline)
        finally:
            self._lock.release()


def checked_base_url(base_url: str) -> str:
    """Return the address without a trailing slash; raises ValueError if it is unusable."""
    try:
        parts = urlsplit(base_url)
        # All of them raise for what can't be resolved or connected to.
        known = bool((parts.hostname or "").encode("idna")) and parts.port != 0
        httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL):
        known = False
    if not known or parts.scheme not in ("http", "https"):
        raise ValueError(f"{base_url!r} is not an http:// or https:// address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError(f"{base_url!r} must be an address without user, query and fragment")
    return urlunsplit(parts).rstrip("/")


def _timeout(request: Request, deadline: Deadline) -> httpx.Timeout:
    """Limit each step by the time left, so that no step alone outlives the deadline."""
    left = max(deadline.remaining(), 0.001)
    connect = min(CONNECT_SECONDS, left)
    seconds = min(request.wait_seconds + GATEWAY_SECONDS, left)
    return httpx.Timeout(seconds, connect=connect, pool=connect)


def _read(response: httpx.Response, deadline: Deadline) -> bytes:
    """Read chunk by chunk: httpx limits each read, not the sum of many small ones."""
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > ANSWER_MAX_BYTES:
            raise UnexpectedAnswer("The service's answer is too large.")
        if deadline.passed:
            raise httpx.ReadTimeout("the answer came too slowly")
    return bytes(content)


def _connection_failed(base_url: str, error: httpx.RequestError) -> ConnectionFailed:
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if isinstance(error, never_sent):
        return ConnectionFailed(f"Could not connect to {base_url}.", reached=False)
    return ConnectionFailed(f"The connection to {base_url} broke.", reached=True)


def _rejection(response: httpx.Response, content: bytes) -> BillingError:
    """Name a rejection by the gateway's code, or by its status where a proxy answered."""
    try:
        body = _json_object(content).values
    except UnexpectedAnswer:
        body = {}
    code, message, request_id = (body.get(name) for name in ("code", "message", "request_id"))
    status = response.status_code
    return GatewayRejected(
        code if isinstance(code, str) else f"http_{status}",
        message if isinstance(message, str) else f"The service answered with HTTP {status}.",
        http_status=status,
        retry_after_seconds=_seconds(response.headers.get("Retry-After")),
        request_id=str(request_id) if request_id else None,
        from_gateway=all(isinstance(text, str) for text in (code, message, request_id)),
    )


def _seconds(retry_after: str | None) -> float | None:
    """Read Retry-After in seconds; after a date the client pauses as it otherwise would."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _json_object(content: bytes) -> Fields:
    try:
        return Fields.of(json.loads(content), "answer")
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer("The service's answer is not JSON.") from error

"""One HTTP request at a time: sends it, bounds its time, and names what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from billing_client.clock import Deadline
from billing_client.errors import BillingError, ConnectionFailed, GatewayRejected, UnexpectedAnswer
from billing_client.fields import Fields

CONNECT_SECONDS = 5.0
# What the gateway itself may take, beside the long poll that was asked for.
GATEWAY_SECONDS = 9.0
# Far above ten replies of 256 KB each: a larger answer is none of ours.
ANSWER_MAX_BYTES = 32_000_000


@dataclass(frozen=True)
class Call:
    """A request of the contract. ``wait_seconds`` is how long the gateway may hold it."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0


class Gateway:
    """The service's HTTP side."""

    def __init__(self, base_url: str, http: httpx.Client | None = None) -> None:
        """Raises ValueError if ``base_url`` is no http or https address."""
        self.base_url = checked_base_url(base_url)
        self._owned = http is None
        # Certificates are slow to load and of no use where there is no TLS; redirects, which
        # could lead to it, are not followed.
        tls = self.base_url.startswith("https:")
        self._http = http or httpx.Client(follow_redirects=False, verify=tls)

    def close(self) -> None:
        """Close the connections, unless the caller brought them."""
        if self._owned:
            self._http.close()

    def send(self, call: Call, *, deadline: Deadline, token: str | None = None) -> Fields:
        """Return the JSON object of a 2xx answer; empty for one without content.

        Raises GatewayRejected for any other status, ConnectionFailed where there is none, and
        UnexpectedAnswer if a 2xx answer is no JSON object.
        """
        try:
            response, content = self._exchange(call, deadline, token)
        except httpx.TransportError as error:
            raise _connection_failed(self.base_url, error) from error
        if not response.is_success:
            raise _rejection(response, content)
        return _json_object(content) if content else Fields({}, "answer")

    def _exchange(
        self, call: Call, deadline: Deadline, token: str | None
    ) -> tuple[httpx.Response, bytes]:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        with self._http.stream(
            call.method,
            self.base_url + call.path,
            json=call.body,
            params=call.query,
            headers={"Accept": "application/json", **call.headers, **authorization},
            timeout=_timeout(call, deadline),
        ) as response:
            return response, _read(response, deadline)


def checked_base_url(base_url: str) -> str:
    """Return the address without a slash at its end; raises ValueError if it is unusable."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{base_url!r} is no http:// or https:// address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError(f"{base_url!r} must be an address without user, query and fragment")
    return urlunsplit(parts).rstrip("/")


def _timeout(call: Call, deadline: Deadline) -> httpx.Timeout:
    """Bound each step by what is left, so that no step alone outlives the deadline."""
    left = max(deadline.remaining(), 0.001)
    connect = min(CONNECT_SECONDS, left)
    return httpx.Timeout(
        min(call.wait_seconds + GATEWAY_SECONDS, left), connect=connect, pool=connect
    )


def _read(response: httpx.Response, deadline: Deadline) -> bytes:
    """Read chunk by chunk: httpx bounds each read, not the sum of many small ones."""
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > ANSWER_MAX_BYTES:
            raise UnexpectedAnswer("The service's answer is too large.")
        if deadline.passed:
            raise httpx.ReadTimeout("the answer came too slowly")
    return bytes(content)


def _connection_failed(base_url: str, error: httpx.TransportError) -> ConnectionFailed:
    never_left = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if isinstance(error, never_left):
        return ConnectionFailed(f"There is no connection to {base_url}.", reached=False)
    return ConnectionFailed(f"The connection to {base_url} broke off.", reached=True)


def _rejection(response: httpx.Response, content: bytes) -> BillingError:
    """Name a rejection by the gateway's own words, or by its status where a proxy answered."""
    try:
        body = _json_object(content).values
    except UnexpectedAnswer:
        body = {}
    code, message = body.get("code"), body.get("message")
    return GatewayRejected(
        code if isinstance(code, str) else f"http_{response.status_code}",
        message if isinstance(message, str) else f"The answer was HTTP {response.status_code}.",
        http_status=response.status_code,
        retry_after_seconds=_seconds(response.headers.get("Retry-After")),
        request_id=str(body["request_id"]) if body.get("request_id") else None,
    )


def _seconds(retry_after: str | None) -> float | None:
    """Read Retry-After in seconds; a date is left to the client's own pauses."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def _json_object(content: bytes) -> Fields:
    try:
        return Fields.of(json.loads(content), "answer")
    except ValueError as error:
        raise UnexpectedAnswer("The service's answer is no JSON.") from error

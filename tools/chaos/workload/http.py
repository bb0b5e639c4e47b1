"""The service's HTTP contract, each exchange recorded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tools.chaos.workload.recorder import Canaries, Recorder

Json = dict[str, Any]

UNKNOWN = 0
# Longer than the longest poll.
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Request:
    """A request as it is sent: with the same key it is the same payment.

    `body` lacks queue_name. `notes` are recorded and not sent.
    """

    op: str
    user: str
    queue_name: str
    apartment: str | None = None
    key: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is posted; its replies are below."""
        return "/auth" if self.op == "auth" else f"/apartments/{self.apartment}/{self.op}"

    def recorded(self) -> Json:
        """Return what is recorded: no password and no token."""
        return {
            "user": self.user,
            "op": self.op,
            "apartment": self.apartment,
            "key": self.key,
            "bills": list(self.body.get("bills_id", [])),
            "expected": self.body.get("expected_total_minor"),
            "queue_name": self.queue_name,
            **self.notes,
        }


class Unauthorized(Exception):
    """The token is rejected: it has expired, or nobody could verify it."""


@dataclass(frozen=True)
class Sent:
    """The outcome of a POST. Status 0: the connection broke, so nobody knows."""

    status: int
    request_id: str | None = None
    code: str | None = None
    retry_after: float = 1.0

    @property
    def can_be_retried(self) -> bool:
        """Whether the same request may be accepted later."""
        return self.status in (UNKNOWN, 429) or self.status >= 500


class RecordedHttp:
    """One client's connection. The token is an argument of each call."""

    def __init__(
        self, base_url: str, client: str, *, recorder: Recorder, canaries: Canaries
    ) -> None:
        self.client = client
        self.recorder = recorder
        self._canaries = canaries
        self._http = httpx.Client(base_url=base_url, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _exchange(
        self, method: str, path: str, token: str | None, **options: Any
    ) -> tuple[int, Json, float]:
        """Return status, body and Retry-After; record errors, which must hold nothing personal."""
        headers = {"Authorization": token} if token else {}
        headers |= options.pop("headers", {})
        try:
            response = self._http.request(method, path, headers=headers, **options)
        except httpx.TransportError:
            return UNKNOWN, {}, 1.0
        status, body = response.status_code, _json(response)
        if status not in (200, 202, 204):
            self.recorder.record(
                "error", client=self.client, method=method, status=status, body=body
            )
        return status, body, float(response.headers.get("Retry-After", "1"))

    def post(self, request: Request, token: str | None) -> Sent:
        """Send a request once; it is recorded before it leaves, and its outcome after."""
        number = self.recorder.next_id()
        self.recorder.record("invoke", id=number, client=self.client, **request.recorded())
        headers = {"Idempotency-Key": request.key} if request.key is not None else {}
        body = {**request.body, "queue_name": request.queue_name}
        status, content, retry_after = self._exchange(
            "POST", request.path, token, json=body, headers=headers
        )
        if status == 202:
            self.recorder.record("accepted", id=number, request_id=content["request_id"])
            return Sent(202, request_id=content["request_id"])
        code = content.get("code")
        self.recorder.record("not_accepted", id=number, status=status, code=code)
        return Sent(status, code=code, retry_after=retry_after)

    def poll(
        self, request: Request, token: str | None, *, wait_seconds: int = 1
    ) -> list[Json] | None:
        """Return the replies in the request's queue, recorded; None when nobody could say.

        Raises:
            Unauthorized: The token is rejected.
        """
        path = f"{request.path}/{request.queue_name}"
        status, content, _ = self._exchange(
            "GET", path, token, params={"wait_seconds": wait_seconds}
        )
        if status == 401:
            raise Unauthorized
        if status != 200:
            return None
        replies: list[Json] = content["replies"]
        for reply in replies:
            self.recorder.record(
                "reply",
                user=request.user,
                client=self.client,
                queue_name=request.queue_name,
                op=reply["operation"],
                reply=self._without_secrets(reply),
            )
        return replies

    def _without_secrets(self, reply: Json) -> Json:
        """Return a reply without what belongs to its user alone, and keep that as canaries."""
        self._canaries.add("receipt", reply["receipt"])
        shown = {name: value for name, value in reply.items() if name != "receipt"}
        if reply["operation"] == "auth" and reply["data"] and "tokens" in reply["data"]:
            tokens = reply["data"]["tokens"]
            for name in ("id_token", "access_token", "refresh_token"):
                self._canaries.add("token", tokens[name])
            shown["data"] = {**reply["data"], "tokens": {"sub": subject_of(tokens["id_token"])}}
        return shown

    def delete(self, request: Request, reply: Json, token: str | None) -> None:
        """Delete a reply from its queue; when that fails it will come again."""
        path = f"{request.path}/{request.queue_name}"
        status, *_ = self._exchange("DELETE", path, token, params={"receipt": reply["receipt"]})
        told = {"request_id": reply["request_id"], "part": reply["part"], "status": status}
        self.recorder.record("deleted", user=request.user, **told)


def _json(response: httpx.Response) -> Json:
    try:
        content = response.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"code": None, "text": response.text}


def subject_of(token: str) -> str | None:
    """Return whose token it claims to be; the service has verified it, we only read it."""
    claims = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    subject: str | None = json.loads(claims).get("sub")
    return subject

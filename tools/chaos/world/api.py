"""The service's HTTP contract, each exchange told to the recorder."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tools.chaos.world.canaries import Canaries
from tools.chaos.world.recorder import Recorder

Json = dict[str, Any]

UNKNOWN = 0
# Longer than the longest poll.
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Ask:
    """A request as it is sent: sent again with the same key it is the same wish.

    `body` lacks queue_name. `notes` are told to the recorder and not sent.
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
        """Where it is posted."""
        return "/auth" if self.op == "auth" else f"/apartments/{self.apartment}/{self.op}"

    @property
    def poll(self) -> str:
        """Where its reply is fetched."""
        return f"{self.path}/{self.queue_name}"

    def told(self) -> Json:
        """Return what the recorder is told: no password and no token."""
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
    """The token is not taken: it has expired, or nobody could verify it."""


@dataclass(frozen=True)
class Sent:
    """What became of a POST. Status 0: the connection broke, so nobody knows."""

    status: int
    request_id: str | None = None
    code: str | None = None
    retry_after: float = 1.0

    @property
    def accepted(self) -> bool:
        """Whether an answer will come."""
        return self.status == 202

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the same request may be accepted later."""
        return self.status == UNKNOWN or self.status == 429 or self.status >= 500


class Api:
    """One client's connection. A token is handed in with each call."""

    def __init__(
        self, *, base_url: str, client: str, recorder: Recorder, canaries: Canaries
    ) -> None:
        self.client = client
        self.recorder = recorder
        self._canaries = canaries
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def post(self, ask: Ask, token: str | None) -> Sent:
        """Send a request once; it is recorded before it leaves, and what came of it after."""
        number = self.recorder.next_id()
        self.recorder.record("invoke", id=number, client=self.client, **ask.told())
        sent = self._post(ask, token)
        if sent.accepted:
            self.recorder.record("accepted", id=number, request_id=sent.request_id)
        else:
            self.recorder.record("not_accepted", id=number, status=sent.status, code=sent.code)
        return sent

    def _post(self, ask: Ask, token: str | None) -> Sent:
        headers = _authorization(token)
        if ask.key is not None:
            headers["Idempotency-Key"] = ask.key
        body = {**ask.body, "queue_name": ask.queue_name}
        try:
            answer = self._http.post(ask.path, json=body, headers=headers)
        except httpx.TransportError:
            return Sent(UNKNOWN)
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Sent:
        content = _json(answer)
        if answer.status_code == 202:
            return Sent(202, request_id=content["request_id"])
        self._tell_error("POST", answer, content)
        wait = float(answer.headers.get("Retry-After", "1"))
        return Sent(answer.status_code, code=content.get("code"), retry_after=wait)

    def poll(self, ask: Ask, token: str | None, *, wait_seconds: int = 1) -> list[Json] | None:
        """Return the replies that are in the queue; None when nobody could say.

        Raises Unauthorized when the token is not taken.
        """
        try:
            answer = self._http.get(
                ask.poll, headers=_authorization(token), params={"wait_seconds": wait_seconds}
            )
        except httpx.TransportError:
            return None
        content = _json(answer)
        if answer.status_code != 200:
            self._tell_error("GET", answer, content)
            if answer.status_code == 401:
                raise Unauthorized
            return None
        replies: list[Json] = content["replies"]
        return replies

    def tell_reply(self, ask: Ask, reply: Json) -> None:
        """Record a reply without its secrets, which go to the canaries."""
        self.recorder.record(
            "reply",
            user=ask.user,
            client=self.client,
            queue_name=ask.queue_name,
            op=reply["operation"],
            reply=self._without_secrets(reply),
        )

    def _without_secrets(self, reply: Json) -> Json:
        self._canaries.add("receipt", reply["receipt"])
        shown = {name: value for name, value in reply.items() if name != "receipt"}
        if reply["operation"] == "auth" and reply["data"] and "tokens" in reply["data"]:
            tokens = reply["data"]["tokens"]
            for name in ("id_token", "access_token", "refresh_token"):
                self._canaries.add("token", tokens[name])
            shown["data"] = {**reply["data"], "tokens": {"sub": subject_of(tokens["id_token"])}}
        return shown

    def delete(self, ask: Ask, reply: Json, token: str | None) -> None:
        """Take a reply off its queue; when that fails it will come again."""
        try:
            answer = self._http.delete(
                ask.poll, headers=_authorization(token), params={"receipt": reply["receipt"]}
            )
            status = answer.status_code
        except httpx.TransportError:
            status = UNKNOWN
        else:
            if status != 204:
                self._tell_error("DELETE", answer, _json(answer))
        self.recorder.record(
            "deleted",
            user=ask.user,
            request_id=reply["request_id"],
            part=reply["part"],
            status=status,
        )

    def _tell_error(self, method: str, answer: httpx.Response, content: Json) -> None:
        """Record an error's text: it is one of the places where nothing personal may be."""
        self.recorder.record(
            "error", client=self.client, method=method, status=answer.status_code, body=content
        )


def _authorization(token: str | None) -> dict[str, str]:
    return {"Authorization": token} if token else {}


def _json(answer: httpx.Response) -> Json:
    try:
        content = answer.json()
    except ValueError:
        return {"code": None, "text": answer.text}
    return content if isinstance(content, dict) else {"code": None, "text": answer.text}


def subject_of(token: str) -> str | None:
    """Return whose token it says it is; the service has verified it, we only read it."""
    claims = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    subject: str | None = json.loads(claims).get("sub")
    return subject

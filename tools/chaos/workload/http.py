"""Records what a client sends and gets, below the client, which notices nothing."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tools.chaos.workload.recorder import Canaries, Recorder

Json = dict[str, Any]

# How often a reply is left in its queue, although the client deleted it, so that it comes twice.
_LEFT_IN_QUEUE = 0.05


class RecordingTransport(httpx.HTTPTransport):
    """Sends one client's requests, and records them before they leave and answers as they come.

    A request's extension `notes` is recorded with it, and not sent.

    Args:
        who: Recorded with all that is sent: `client`, its `user`, and whether it polls `late`.
        learn: Gets what was asked (as recorded) and a reply to it.
    """

    def __init__(
        self,
        who: Mapping[str, Any],
        recorder: Recorder,
        canaries: Canaries,
        learn: Callable[[Json, Json], None],
        seed: str,
    ) -> None:
        super().__init__()
        self.who = who
        # Accepted requests by id, as recorded; those that no whole answer came for; the last one.
        self._accepted: dict[str, Json] = {}
        self.unanswered: dict[str, Json] = {}
        self.latest: Json | None = None
        self._recorder = recorder
        self._canaries = canaries
        self._learn = learn
        self._rng = random.Random(seed)
        self._parts: dict[tuple[str, Any], set[int]] = {}

    def share(self, other: RecordingTransport) -> None:
        """Know of the requests of another client of the same user, and of their answers."""
        self._accepted, self.unanswered = other._accepted, other.unanswered
        self._parts = other._parts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and record it."""
        if request.method == "DELETE" and self._rng.random() < _LEFT_IN_QUEUE:
            return httpx.Response(204)
        who = {**self.who, **request.extensions.get("notes", {})}
        asked = self._invoke(request, who) if request.method == "POST" else {}
        try:
            response = super().handle_request(request)
            content = _content(response)
        except httpx.TransportError:
            # Nobody knows whether it was accepted.
            self._tell_outcome(asked, 0, {})
            raise
        self._tell_outcome(asked, response.status_code, content)
        if not response.is_success:
            told = {"method": request.method, "status": response.status_code, "body": content}
            self._recorder.record("error", client=who["client"], **told)
        for reply in content.get("replies", []):
            self._receive(reply, who, request.url.path.rpartition("/")[2])
        return response

    def _invoke(self, request: httpx.Request, who: Mapping[str, Any]) -> Json:
        """Record a request without password and token; return what was recorded."""
        body, path = json.loads(request.content), request.url.path.split("/")
        asked = {
            "id": self._recorder.next_id(),
            **who,
            "op": path[-1],
            "apartment": None if path[-1] == "auth" else path[2],
            "key": request.headers.get("Idempotency-Key"),
            "bills": body.get("bills_id", []),
            "expected": body.get("expected_total_minor"),
            "held": {name: body.get(name) for name in ("date_down", "date_up")},
            "queue_name": body["queue_name"],
        }
        self._recorder.record("invoke", **asked)
        return asked

    def _tell_outcome(self, asked: Json, status: int, content: Json) -> None:
        if not asked:
            return
        if status == 202:
            request_id = content["request_id"]
            self._accepted[request_id] = self.unanswered[request_id] = asked
            self.latest = asked
            self._recorder.record("accepted", id=asked["id"], request_id=request_id)
        else:
            told = {"status": status, "code": content.get("code")}
            self._recorder.record("not_accepted", id=asked["id"], **told)

    def _receive(self, reply: Json, who: Mapping[str, Any], queue_name: str) -> None:
        shown = self._without_secrets(reply)
        place = {"client": who["client"], "user": who["user"], "queue_name": queue_name}
        self._recorder.record("reply", **place, op=reply["operation"], reply=shown)
        request_id, data = reply["request_id"], reply["data"] or {}
        parts = self._parts.setdefault((request_id, data.get("version")), set())
        parts.add(reply["part"])
        if len(parts) == reply["parts"]:
            self.unanswered.pop(request_id, None)
        if request_id in self._accepted:
            self._learn(self._accepted[request_id], shown)

    def _without_secrets(self, reply: Json) -> Json:
        """Return a reply without what belongs to its user alone, and keep that as canaries."""
        self._canaries.add("receipt", reply["receipt"])
        tokens = (reply["data"] or {}).get("tokens", {})
        for name in tokens.keys() & {"id_token", "access_token", "refresh_token"}:
            self._canaries.add("token", tokens[name])
        return without_tokens({name: reply[name] for name in reply if name != "receipt"})


def _content(response: httpx.Response) -> Json:
    """Read the body, which httpx keeps for the client."""
    text = response.read()
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"text": text.decode(errors="replace")}


def without_tokens(reply: Json) -> Json:
    """Return a reply as it may be recorded: of tokens only whose they are."""
    if tokens := (reply.get("data") or {}).get("tokens"):
        sub = subject_of(tokens["id_token"])
        return {**reply, "data": {**reply["data"], "tokens": {"sub": sub}}}
    return reply


def subject_of(token: str) -> str | None:
    """Return whose token it claims to be; the service has verified it, we only read it."""
    claims = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    subject: str | None = json.loads(claims).get("sub")
    return subject

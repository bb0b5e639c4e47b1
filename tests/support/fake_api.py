"""The HTTP contract in one process: for tests of the client, with faults on demand."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.fake_http import Answer, Dropped, Request
from tests.support.fake_ledger import FakeLedger, FakeUser, rejected
from tests.support.fake_queues import FakeQueues
from tests.support.fake_server import serve

Json = dict[str, Any]


@dataclass
class Fault:
    """Strikes the next ``times`` requests whose method and path fit.

    ``kind``: drop_before (nothing is accepted), drop_after (accepted, the answer is lost),
    status (answered with ``status``) or delay (by ``seconds``).
    """

    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    retry_after: int | None = None

    def strikes(self, request: Request) -> bool:
        fits = self.method in request.method and self.path in request.path
        if self.times <= 0 or not fits:
            return False
        self.times -= 1
        return True


def rejection(status: int, code: str, *, retry_after: int | None = None) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"code": code, "message": f"Rejected: {code}.", "request_id": str(uuid.uuid4())}
    return Answer(status, body, headers)


@dataclass
class FakeApi:
    """Answers requests. ``silent`` operations are accepted but never answered."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    queues: FakeQueues = field(default_factory=FakeQueues)
    faults: list[Fault] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    answer_seconds: float = 0.0
    answer_times: int = 1
    retry_after_seconds: float = 0
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens: dict[str, FakeUser] = {}
        self._refresh: dict[str, FakeUser] = {}
        self._numbers = itertools.count(1)

    def respond(self, request: Request) -> Answer:
        """Answer one request; raises Dropped where a fault breaks the connection."""
        self.requests.append(request)
        fault = next((fault for fault in self.faults if fault.strikes(request)), None)
        if fault is None:
            return self._route(request)
        if fault.kind == "status":
            return rejection(fault.status, f"fault_{fault.status}", retry_after=fault.retry_after)
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return self._route(request)
        if fault.kind == "drop_after":
            self._route(request)
        raise Dropped

    def _route(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        public = parts[0] == "auth"
        if not public and request.token not in self._tokens:
            return rejection(401, "token_expired")
        owner = "login" if public else self._tokens[request.token].subject
        rest = parts[1:] if public else parts[3:]
        if request.method == "POST":
            return self._accept(request, "auth" if public else parts[2], owner)
        return self._queue_call(request, f"{owner}/{rest[0]}")

    def _queue_call(self, request: Request, name: str) -> Answer:
        if request.method == "DELETE":
            self.queues.delete(name, request.query["receipt"])
            return Answer(204)
        wait_seconds = float(request.query.get("wait_seconds", "20"))
        return Answer(200, {"replies": self.queues.receive(name, wait_seconds)})

    def _accept(self, request: Request, operation: str, owner: str) -> Answer:
        request_id = str(uuid.uuid4())
        queue_name = str(uuid.UUID(request.body["queue_name"]))
        for _ in range(self.answer_times):
            self._work(request, operation, owner, request_id)
        return Answer(
            202,
            {
                "request_id": request_id,
                "queue_name": queue_name,
                "poll": f"{request.path}/{queue_name}",
                "retry_after_seconds": self.retry_after_seconds,
            },
        )

    def _work(self, request: Request, operation: str, owner: str, request_id: str) -> None:
        if operation in self.silent:
            return
        if self.answer_seconds:
            worker = threading.Timer(
                self.answer_seconds, self._answer, (request, operation, owner, request_id)
            )
            worker.daemon = True
            worker.start()
        else:
            self._answer(request, operation, owner, request_id)

    def _answer(self, request: Request, operation: str, owner: str, request_id: str) -> None:
        outcome = self._outcome(request, operation, owner, request_id)
        parts = outcome.pop("parts", None) or [outcome.pop("data", None)]
        for number, data in enumerate(parts, start=1):
            reply = {"request_id": request_id, "operation": operation, **outcome, "data": data}
            numbered = {**reply, "part": number, "parts": len(parts)}
            self.queues.send(f"{owner}/{request.body['queue_name']}", numbered)

    def _outcome(self, request: Request, operation: str, owner: str, request_id: str) -> Json:
        if operation in self.failing:
            code = self.failing[operation]
            return {"status": "failed", "code": code, "message": f"Failed: {code}.", "data": None}
        if operation == "auth":
            return self._log_in(request.body)
        apartment_id = request.path.split("/")[2]
        if operation == "payments":
            key = request.headers.get("idempotency-key") or request_id
            return dict(self.ledger.payment(owner, apartment_id, request.body, key))
        answer = self.ledger.utils if operation == "utils" else self.ledger.history
        return dict(answer(owner, apartment_id, request.body))

    def _log_in(self, body: Json) -> Json:
        if "refresh_token" in body:
            user = self._refresh.get(body["refresh_token"])
            return rejected("session_expired") if user is None else self._session(user)
        user = self.ledger.users.get(body["username"])
        if user is None or user.password != body["password"]:
            return rejected("invalid_credentials")
        if user.needs_new_password and "new_password" not in body:
            return rejected("new_password_required")
        user.password = body.get("new_password", user.password)
        user.needs_new_password = False
        return self._session(user)

    def _session(self, user: FakeUser) -> Json:
        token, refresh = self._token(user), f"refresh-{next(self._numbers)}"
        self._tokens[token] = self._refresh[refresh] = user
        flats = [self.ledger.apartments[key] for key in user.apartments]
        data = {
            "resident": {"name": user.name},
            "apartments": [
                {"apartment_id": flat.apartment_id, "address": flat.address} for flat in flats
            ],
            "tokens": {
                "id_token": token,
                "access_token": f"access-{token}",
                "refresh_token": refresh,
                "expires_in_seconds": 3600,
            },
        }
        return {"status": "done", "code": None, "message": "", "data": data}

    def _token(self, user: FakeUser) -> str:
        claims = json.dumps({"sub": user.subject, "n": next(self._numbers)}).encode()
        return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"

    def expire_tokens(self, *, refresh_too: bool = False) -> None:
        """End every session's id token, and with ``refresh_too`` its renewal."""
        self._tokens.clear()
        if refresh_too:
            self._refresh.clear()

    def calls(self, method: str, path: str = "") -> list[Request]:
        return [r for r in self.requests if r.method == method and path in r.path]

    def served(self) -> AbstractContextManager[str]:
        """Serve on a free port of 127.0.0.1; the context's value is the address."""
        return serve(self.respond)

    def transport(self) -> httpx.MockTransport:
        """Answer within the process, for tests that need many requests."""
        return httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        asked = Request(
            request.method,
            request.url.path,
            dict(request.url.params),
            {name.lower(): value for name, value in request.headers.items()},
            body,
        )
        try:
            answer = self.respond(asked)
        except Dropped as error:
            raise httpx.ReadError("connection reset", request=request) from error
        return httpx.Response(answer.status, json=answer.body, headers=dict(answer.headers))

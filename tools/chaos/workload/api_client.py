"""A client that follows docs/api.md: ask, poll, keep, delete; ask again with the same key."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tools.chaos.workload.http import Json, RecordedHttp, Request, Unauthorized

Parts = list[Json]

_TRIES = 3
_LOGIN_SECONDS = 12.0
# How often a reply is left in the queue at first, so that it is delivered twice.
_LEFT_IN_QUEUE = 0.05


@dataclass(frozen=True)
class User:
    """A user of the pool. `sub` is their subject."""

    sub: str
    username: str
    password: str


class LoggedOut(Exception):
    """The run was halted before the client could log in."""


class ReplyQueue:
    """The replies of one queue, whoever fetched them; devices that share the queue share this.

    Parts of one request at one version belong together; those of two versions are never mixed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        # (request id, version) -> part -> reply
        self._sets: dict[tuple[str, Any], dict[int, Json]] = {}
        self._first_whole: dict[str, Parts] = {}

    def put(self, reply: Json) -> bool:
        """Keep a reply; tell whether it is new."""
        request_id, data = reply["request_id"], reply["data"]
        version = data.get("version") if isinstance(data, dict) else None
        with self._lock:
            parts = self._sets.setdefault((request_id, version), {})
            is_new = reply["part"] not in parts
            parts[reply["part"]] = reply
            if len(parts) == reply["parts"]:
                self._first_whole.setdefault(request_id, [parts[n] for n in sorted(parts)])
            return is_new

    def answer(self, request_id: str) -> Parts | None:
        """Return the parts of the first whole answer to a request, None while there is none."""
        with self._lock:
            return self._first_whole.get(request_id)


class ApiClient:
    """One client of one user.

    `halt` ends all waiting; the workload sets it, and hands out a fresh one for the end of a run.
    """

    def __init__(
        self, http: RecordedHttp, user: User, replies: ReplyQueue, apartment: str, seed: str
    ) -> None:
        self.http = http
        self.user = user
        self.replies = replies
        self.halt = threading.Event()
        self.token: str | None = None
        # Accepted requests of this client that have no answer yet.
        self.outstanding: dict[str, Request] = {}
        self._apartment = apartment
        self._rng = random.Random(seed)
        self._refresh_token: str | None = None

    def request(
        self, op: str, apartment: str, body: Json, *, key: str | None = None, **notes: Any
    ) -> Request:
        """Make a request of this user."""
        return Request(op, self.user.sub, self.replies.name, apartment, key, body, notes)

    def send(self, request: Request) -> str | None:
        """Send until accepted; returns the request's id, None when it was not, or nobody knows."""
        for _ in range(_TRIES):
            sent = self.http.post(request, self._logged_in())
            if sent.request_id is not None:
                self.outstanding[sent.request_id] = request
                return sent.request_id
            if sent.status == 401:
                self.log_in()
                continue
            pause = min(sent.retry_after, 2.0) * self._rng.uniform(0.2, 1.0)
            if not sent.can_be_retried or self.halt.wait(pause):
                return None
        return None

    def _logged_in(self) -> str:
        if self.token is None:
            self.log_in()
        if self.token is None:
            raise LoggedOut
        return self.token

    def wait(self, wanted: Collection[str], *, seconds: float) -> None:
        """Poll until these requests are answered, the time is over or all is halted."""
        deadline = self.http.recorder.now() + seconds
        while self.http.recorder.now() < deadline and not self.halt.is_set():
            if all(self.replies.answer(one) is not None for one in wanted):
                return
            self.fetch()

    def fetch(self) -> None:
        """Poll once: record each reply, keep it, and only then delete it."""
        # Any operation's path leads to the same queue.
        op = self._rng.choice(("utils", "payments", "histories"))
        request = self.request(op, self._apartment, {})
        try:
            replies = self.http.poll(request, self._logged_in())
        except Unauthorized:
            self.log_in()
            return
        for reply in replies or []:
            is_new = self.replies.put(reply)
            if not is_new or self._rng.random() >= _LEFT_IN_QUEUE:
                self.http.delete(request, reply, self.token)
        if not replies:
            # A queue that does not exist yet answers at once.
            self.halt.wait(0.1)

    def answered(self) -> list[tuple[Request, Parts]]:
        """Remove the outstanding requests that are answered by now, and return them."""
        found = []
        for request_id in list(self.outstanding):
            parts = self.replies.answer(request_id)
            if parts is not None:
                found.append((self.outstanding.pop(request_id), parts))
        return found

    def log_in(self) -> None:
        """Log in, or refresh the session when there is one; until it works.

        Raises:
            LoggedOut: The run was halted meanwhile.
        """
        self.token = None
        while not self.halt.is_set():
            if self._try_to_log_in():
                return
            self.halt.wait(0.3)
        raise LoggedOut

    def _try_to_log_in(self) -> bool:
        body: Json = {"refresh_token": self._refresh_token}
        if self._refresh_token is None:
            body = {"username": self.user.username, "password": self.user.password}
        kind = "refresh" if self._refresh_token else "password"
        request = Request("auth", self.user.sub, str(uuid4()), body=body, notes={"login": kind})
        request_id = self.http.post(request, None).request_id
        if request_id is None:
            return False
        reply = self.login_reply(request, request_id)
        if reply is None or reply["status"] != "done":
            self._refresh_token = None
            return False
        tokens = reply["data"]["tokens"]
        self.token, self._refresh_token = tokens["id_token"], tokens["refresh_token"]
        return True

    def login_reply(self, request: Request, request_id: str) -> Json | None:
        """Wait for the reply to a login, and delete it; None when it doesn't come."""
        queue = ReplyQueue(request.queue_name)
        deadline = self.http.recorder.now() + _LOGIN_SECONDS
        while self.http.recorder.now() < deadline and not self.halt.is_set():
            for reply in self.http.poll(request, None) or []:
                queue.put(reply)
                self.http.delete(request, reply, None)
            answer = queue.answer(request_id)
            if answer is not None:
                return answer[0]
            self.halt.wait(0.1)
        return None

    def log_out(self, *, keep_refresh_token: bool) -> None:
        """Forget the token, as when it has expired."""
        self.token = None
        if not keep_refresh_token:
            self._refresh_token = None

"""How a well-behaved client talks: ask, poll, keep, delete; ask again with the same key."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tools.chaos.world.api import Api, Ask, Unauthorized
from tools.chaos.world.mailbox import Mailbox

Json = dict[str, Any]
Parts = list[Json]

TRIES = 3
LOGIN_PATIENCE_SECONDS = 12.0
_OPERATIONS = ("utils", "payments", "histories")
# How often a reply is left in the queue at first, so that it is delivered twice.
_FORGOTTEN = 0.05


@dataclass(frozen=True)
class Person:
    """A user of the pool. `user` is their sub."""

    user: str
    username: str
    password: str


class SignedOut(Exception):
    """The run was halted before the client could sign in."""


class Correspondent:
    """One client's side of the correspondence of one person.

    `halt` ends all waiting; the world sets it, and hands out a fresh one to settle.
    """

    def __init__(
        self,
        *,
        api: Api,
        person: Person,
        mailbox: Mailbox,
        home: str,
        rng: random.Random,
        halt: threading.Event,
    ) -> None:
        self.api = api
        self.person = person
        self.mailbox = mailbox
        self.halt = halt
        self.token: str | None = None
        # Accepted requests of this client that have no answer yet.
        self.outstanding: dict[str, Ask] = {}
        self._home = home
        self._rng = rng
        self._refresh_token: str | None = None

    def ask(self, op: str, apartment: str, body: Json, **notes: Any) -> Ask:
        """Write a request of this person; a payment gets its key by the caller."""
        key = notes.pop("key", None)
        return Ask(
            op=op,
            user=self.person.user,
            queue_name=self.mailbox.queue_name,
            apartment=apartment,
            key=key,
            body=body,
            notes=notes,
        )

    def send(self, ask: Ask, *, tries: int = TRIES) -> str | None:
        """Send until accepted, and return the request's id; None when it was not, or may be."""
        for _ in range(tries):
            sent = self.api.post(ask, self._signed_in())
            if sent.request_id is not None:
                self.outstanding[sent.request_id] = ask
                return sent.request_id
            if sent.status == 401:
                self.sign_in()
            elif not sent.is_worth_repeating or self._halted_while_pausing(sent.retry_after):
                return None
        return None

    def _halted_while_pausing(self, seconds: float) -> bool:
        return self.halt.wait(min(seconds, 2.0) * self._rng.uniform(0.2, 1.0))

    def _signed_in(self) -> str:
        if self.token is None:
            self.sign_in()
        if self.token is None:
            raise SignedOut
        return self.token

    def wait(self, wanted: Collection[str], *, seconds: float) -> None:
        """Poll until these requests are answered, the time is over or all is halted."""
        deadline = self.api.recorder.now() + seconds
        while self.api.recorder.now() < deadline and not self.halt.is_set():
            if all(self.mailbox.answer(one) is not None for one in wanted):
                return
            self.fetch()

    def fetch(self, *, wait_seconds: int = 1) -> None:
        """Poll once: record each reply, keep it, and only then delete it."""
        # Any operation's path leads to the same queue.
        ask = self.ask(self._rng.choice(_OPERATIONS), self._home, {})
        try:
            replies = self.api.poll(ask, self._signed_in(), wait_seconds=wait_seconds)
        except Unauthorized:
            self.sign_in()
            return
        for reply in replies or []:
            self.api.tell_reply(ask, reply)
            is_new = self.mailbox.put(reply)
            if not is_new or self._rng.random() >= _FORGOTTEN:
                self.api.delete(ask, reply, self.token)
        if not replies:
            # A queue that does not exist yet answers at once.
            self.halt.wait(0.1)

    def answered(self) -> list[tuple[str, Ask, Parts]]:
        """Take the outstanding requests that are answered by now."""
        found = []
        for request_id in list(self.outstanding):
            parts = self.mailbox.answer(request_id)
            if parts is not None:
                found.append((request_id, self.outstanding.pop(request_id), parts))
        return found

    def sign_in(self) -> None:
        """Log in, or renew the tokens when there is something to renew; until it works.

        Raises SignedOut when the run was halted meanwhile.
        """
        self.token = None
        while not self.halt.is_set():
            if self._try_to_sign_in():
                return
            self.halt.wait(0.3)
        raise SignedOut

    def _try_to_sign_in(self) -> bool:
        ask = self._login()
        sent = self.api.post(ask, None)
        if sent.request_id is None:
            return False
        reply = self.login_reply(ask, sent.request_id)
        if reply is None or reply["status"] != "done":
            self._refresh_token = None
            return False
        tokens = reply["data"]["tokens"]
        self.token, self._refresh_token = tokens["id_token"], tokens["refresh_token"]
        return True

    def _login(self) -> Ask:
        person, renews = self.person, self._refresh_token is not None
        body: Json = {"refresh_token": self._refresh_token}
        if not renews:
            body = {"username": person.username, "password": person.password}
        notes = {"login": "refresh" if renews else "password"}
        return Ask("auth", person.user, str(uuid4()), body=body, notes=notes)

    def login_reply(self, ask: Ask, request_id: str) -> Json | None:
        """Wait for the reply to a login, and take it off its queue; None when it doesn't come."""
        box = Mailbox(ask.queue_name)
        deadline = self.api.recorder.now() + LOGIN_PATIENCE_SECONDS
        while self.api.recorder.now() < deadline and not self.halt.is_set():
            for reply in self.api.poll(ask, None) or []:
                self.api.tell_reply(ask, reply)
                box.put(reply)
                self.api.delete(ask, reply, None)
            answer = box.answer(request_id)
            if answer is not None:
                return answer[0]
            self.halt.wait(0.1)
        return None

    def log_out(self, *, keep_refresh_token: bool) -> None:
        """Forget the token, as when it has expired."""
        self.token = None
        if not keep_refresh_token:
            self._refresh_token = None

"""The HTTP contract as a stranger would call it, and an environment to call it in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.databases import LedgerDatabase, Login
from tests.support.ledger import Home, Ledger
from tools.local.stack import Stack

Json = dict[str, Any]
Seen = TypeVar("Seen")

PASSWORD = "Example-Passw0rd-1"
ANSWER_SECONDS = 60.0


def wait_until(look: Callable[[], Seen], what: str) -> Seen:
    """Look until there is something and return it; fail, naming what was waited for, when late."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return seen


@dataclass
class Caller:
    """Calls the API with a token of one resident, or none."""

    http: httpx.Client
    token: str | None = None
    queue_name: str = field(default_factory=lambda: str(uuid4()))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.token} if self.token else {}

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        content = {"queue_name": self.queue_name, **body}
        return self.http.post(path, json=content, headers={**self.headers, **headers})

    def poll(self, path: str, *, seconds: int = 20) -> list[Json]:
        answer = self.http.get(path, headers=self.headers, params={"wait_seconds": seconds})
        assert answer.status_code == 200, answer.text
        replies: list[Json] = answer.json()["replies"]
        return replies

    def acknowledge(self, path: str, reply: Json) -> None:
        answer = self.http.delete(path, headers=self.headers, params={"receipt": reply["receipt"]})
        assert answer.status_code == 204, answer.text

    def parts(self, accepted: httpx.Response) -> list[Json]:
        """Collect and acknowledge all parts of the reply to a request that was accepted."""
        assert accepted.status_code == 202, accepted.text
        ticket = accepted.json()
        found: dict[int, Json] = {}
        deadline = time.monotonic() + ANSWER_SECONDS
        while not found or len(found) < next(iter(found.values()))["parts"]:
            assert time.monotonic() < deadline, f"no answer to {ticket['request_id']}"
            replies = self.poll(ticket["poll"], seconds=5)
            for reply in replies:
                self.acknowledge(ticket["poll"], reply)
                if reply["request_id"] == ticket["request_id"]:
                    found[reply["part"]] = reply
            if not replies:
                # A queue that does not exist yet answers at once.
                time.sleep(0.05)
        return [found[number] for number in sorted(found)]

    def awaited(self, path: str) -> list[Json]:
        """Poll until there is a reply, and leave it in its queue."""
        return wait_until(lambda: self.poll(path, seconds=5), f"a reply at {path}")

    def ask(self, path: str, body: Mapping[str, Any], **headers: str) -> Json:
        """Send a request and return the one part of its reply."""
        [reply] = self.parts(self.post(path, body, **headers))
        return reply

    def debts(self, apartment: UUID) -> Json:
        reply = self.ask(f"/apartments/{apartment}/utils", {})
        assert reply["status"] == "done", reply
        data: Json = reply["data"]
        return data

    def pay(self, apartment: UUID, *bills: str, key: str | None = None, **body: Any) -> Json:
        headers = {} if key is None else {"Idempotency-Key": key}
        path = f"/apartments/{apartment}/payments"
        return self.ask(path, {"bills_id": list(bills), **body}, **headers)


@dataclass
class Resident:
    """A resident with a login, and a caller who is logged in as them."""

    username: str
    home: Home
    caller: Caller


@dataclass
class Environment:
    """The running service, and ways to put residents and bills into it."""

    stack: Stack
    ledger: Ledger
    http: httpx.Client

    def caller(self) -> Caller:
        return Caller(self.http)

    def login(self, username: str, password: str = PASSWORD) -> Json:
        return self.caller().ask("/auth", {"username": username, "password": password})

    def resident(self, name: str = "Ада", *, password: str = PASSWORD) -> Resident:
        """Add a resident with an apartment, and log them in."""
        username, subject = self.user(password)
        self.ledger.provider()
        self.ledger.ask("operator", "add_resident", subject, name)
        home = Home(subject=subject, apartment=self.ledger.apartment())
        self.ledger.grant(home.subject, home.apartment)
        return Resident(username, home, self.signed_in(username, password))

    def signed_in(self, username: str, password: str = PASSWORD) -> Caller:
        session = self.login(username, password)
        assert session["status"] == "done", session["code"]
        return Caller(self.http, session["data"]["tokens"]["id_token"])

    def user(self, password: str = PASSWORD, *, permanent: bool = True) -> tuple[str, UUID]:
        """Make a user of the pool and return their name and `sub`."""
        username, cognito = f"user-{uuid4().hex[:12]}", self.stack.clients.cognito
        pool = self.stack.cloud.user_pool_id
        user = cognito.admin_create_user(
            UserPoolId=pool, Username=username, TemporaryPassword=password
        )["User"]
        if permanent:
            cognito.admin_set_user_password(
                UserPoolId=pool, Username=username, Password=password, Permanent=True
            )
        subject = next(a["Value"] for a in user["Attributes"] if a["Name"] == "sub")
        return username, UUID(subject)


class _OwnersDatabase(LedgerDatabase):
    """The running database, where everything is done as its owner."""

    def login(self, _role: str) -> Login:
        return self.owner


@contextmanager
def environment_on(stack: Stack) -> Iterator[Environment]:
    """Give an environment on a running service."""
    owner = Login.from_url(stack.cloud.database_url)
    database = _OwnersDatabase(admin=owner, owner=owner)
    ledger = Ledger(database)
    with httpx.Client(base_url=stack.base_url, timeout=35) as http:
        try:
            yield Environment(stack, ledger, http)
        finally:
            database.close()


@pytest.fixture
def env(stack: Stack) -> Iterator[Environment]:
    """Give an environment; whatever the test did, the ledger must be right after it."""
    with environment_on(stack) as env:
        yield env
        assert env.ledger.violations() == []
        rows = env.ledger.rows("operator", "reconcile", "2020-01-01", "2100-01-01")
        assert all(row[-1] for row in rows), rows

"""However slow each call is, and whichever fail, a function ends within its timeout.

Each call takes as long as its own timeouts let it: those of the real configuration for AWS,
Postgres and Redis. The clock is made up, so the slowest way through a function takes no time here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self
from uuid import uuid4

import psycopg2
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from chalice.local import LambdaContext
from hypothesis import given, settings
from hypothesis import strategies as st

import app
from billing_app.adapters import redis_cache
from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.deadline import Deadline
from chalicelib import bootstrap
from chalicelib.settings import Settings
from tests.hostile.routes import BODIES
from tests.support.records import a_record
from tools.local.service import service

SECRET = {"username": "billing_writer", "password": "p", "host": "h", "port": 1, "dbname": "d"}
CLAIMS = base64.urlsafe_b64encode(json.dumps({"sub": str(uuid4())}).encode()).decode()
TOKENS = {"IdToken": f".{CLAIMS}.", "AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 900}
AWS = {
    "GetSecretValue": {"SecretString": json.dumps(SECRET)},
    "InitiateAuth": {"AuthenticationResult": TOKENS},
    "CreateQueue": {"QueueUrl": "https://sqs.test/1/queue"},
    "SendMessage": {"MessageId": "1"},
    "ChangeMessageVisibility": {},
}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HISTORY = {"version": 1, "visible_from": NOW.isoformat(), "last_posted_at": None, "last_seq": 0}
POSTGRES: dict[str, Any] = {
    "apartment_access": (1, NOW),
    "open_debts": ({"version": 1, "debts": []},),
    "settled_history": ({**HISTORY, "frame_known": True, "more": False, "events": []},),
    "resident_account": ({"name": "Ada", "apartments": []},),
    "pay(": ({"status": "rejected", "code": "bill_void", "data": None},),
    "day_of": (NOW.date(), "UTC"),
}


class SlowCalls:
    """What a function calls. `fates` say of each call whether it is slow, and whether it fails."""

    now = 0.0
    config: Any = bootstrap.AWS
    attempt_seconds = config.connect_timeout + config.read_timeout
    fates: Iterator[tuple[bool, bool]] = iter(())

    def call(self, longest: float) -> bool:
        """Let a call take its time; tell whether it failed."""
        is_slow, fails = next(self.fates, (False, False))
        self.now += longest if is_slow else 0.01
        return bool(fails)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def aws(self, request: Any, **_: Any) -> AWSResponse:
        """Answer in the place of AWS."""
        if self.call(self.attempt_seconds):
            raise ReadTimeoutError(endpoint_url=request.url)
        action = request.headers["X-Amz-Target"].decode().rsplit(".", 1)[-1]
        raw = SimpleNamespace(stream=lambda: [json.dumps(AWS[action]).encode()])
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    def connect(self, **asked: Any) -> Any:
        """Connect in the place of psycopg2; the connection takes as long as it was told."""
        if self.call(asked["connect_timeout"]):
            raise psycopg2.OperationalError("no connection")
        info = SimpleNamespace(parameter_status=lambda _: "off")
        longest = asked["tcp_user_timeout"] / 1_000
        cursor = Cursor(self, longest)
        return SimpleNamespace(closed=False, info=info, cursor=lambda: cursor, close=lambda: None)

    def ask(self, *, key: str) -> Any:
        """Be the cache that is asked; it is slow in connecting and in answering."""
        self.call(2 * redis_cache.TIMEOUT_SECONDS)
        return lambda: None

    def store(self, **_: Any) -> None:
        self.call(2 * redis_cache.TIMEOUT_SECONDS)


class Cursor:
    """A cursor that knows the answer to each statement."""

    description = "a row"

    def __init__(self, calls: SlowCalls, longest: float) -> None:
        self._calls, self._longest = calls, longest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, _: Any) -> None:
        self._row = next((row for name, row in POSTGRES.items() if name in statement), (None,))
        if self._calls.call(self._longest):
            raise psycopg2.OperationalError("the server is gone")

    def fetchall(self) -> list[Any]:
        return [self._row]


ENVIRONMENT = {
    "BILLING_PREFIX": "bill",
    "DATABASE_SECRET_ID": "database",
    "CACHE_SECRET_ID": "cache",
    "USER_POOL_ID": "pool",
    "USER_POOL_CLIENT_ID": "client",
    "REQUEST_QUEUE_URL": "https://sqs.test/1/requests",
    "REPLY_QUEUE_POLICY": "{}",
}
Run = Callable[[str, Iterator[Any]], tuple[float, list[Any]]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Have a function work on a full batch for the last time; returns seconds and what came back.

    Each run has adapters that know nothing yet; making clients is what takes long.
    """
    calls = SlowCalls()
    environment = Settings.from_environment(ENVIRONMENT)
    first = bootstrap.Bootstrap(environment)
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.setenv(variable, "eu-central-1")
        clients = {name: first._client(name) for name in ("sqs", "secretsmanager", "cognito-idp")}
        for client in clients.values():
            client.meta.events.register("before-send", calls.aws)
        patch.setattr("time.sleep", calls.sleep)
        patch.setattr("billing_app.adapters.connections.psycopg2.connect", calls.connect)
        patch.setattr("billing_app.adapters.connections.register_uuid", lambda **_: None)

        def work(name: str, fates: Iterator[Any]) -> tuple[float, list[Any]]:
            calls.now, calls.fates, deployed = 0.0, fates, service().functions[name]
            adapters = bootstrap.Bootstrap(environment)
            first.deadline = adapters.deadline = Deadline(lambda: calls.now)
            adapters._client = clients.__getitem__
            vars(adapters)["reader"] = CachedLedger(adapters.ledger, calls)
            patch.setattr(app, "_adapters", lambda: adapters)
            subject = None if name == "auth" else uuid4()
            records = [
                a_record(BODIES[name], subject=subject, apartment=uuid4(), receive_count=3)
                for _ in range(deployed.batch_size)
            ]
            context = LambdaContext(name, 512, max_runtime_ms=deployed.timeout_seconds * 1_000)
            answer = getattr(app, name)({"Records": records}, context)
            return calls.now, answer["batchItemFailures"]

        yield work


FATES = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30)


@pytest.mark.parametrize("name", list(service().queues))
def test_a_function_does_its_work_where_nothing_is_slow_or_fails(run: Run, name: str) -> None:
    seconds, failures = run(name, iter(()))
    assert (failures, seconds < 1) == ([], True)


@pytest.mark.parametrize("name", list(service().queues))
@given(fates=FATES)
@settings(max_examples=20)
def test_a_function_ends_in_time_whatever_is_slow_or_fails(run: Run, name: str, fates: Any) -> None:
    for first in ([], [(True, False)] * 30, [(True, True)], [(True, False), (True, True)] * 15):
        seconds, _ = run(name, iter([*first, *fates]))
        assert seconds <= service().functions[name].timeout_seconds

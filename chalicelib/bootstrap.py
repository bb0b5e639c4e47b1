"""Puts the adapters of one function together. Each is made on first use and kept while warm."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from billing_app.adapters.cached_ledger import CachedLedger
from billing_app.adapters.cognito_login import CognitoLogin
from billing_app.adapters.idle_queues import SqsIdleQueues
from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.adapters.reply_queues import SqsReplyQueues
from billing_app.adapters.request_queue import SqsRequestQueue
from billing_app.bootstrap import Adapters, utc_now
from billing_app.ports.clock import Clock
from billing_app.ports.operator_ledger import AdminContext
from chalicelib.settings import Settings

_CONNECT_SECONDS, _READ_SECONDS = 1, 4
ATTEMPT_SECONDS = _CONNECT_SECONDS + _READ_SECONDS
AWS = Config(
    connect_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 2},
)


class Bootstrap(Adapters):
    """The adapters of one function, from its settings."""

    clock: Clock = staticmethod(utc_now)

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            client=self._aws_client,
            application_name=settings.prefix,
            database_place=settings.database_place,
        )
        self.settings = settings

    def _aws_client(self, service: str) -> Any:
        """Make a client each of whose attempts begins only if it ends in time."""
        # The stubs know each service by a name of its own.
        # boto3 is typed by literal names alone.
        client: Any = boto3.client(service, config=AWS)  # type: ignore[call-overload]
        client.meta.events.register(
            "before-send", lambda **_: self.deadline.require(ATTEMPT_SECONDS)
        )
        return client

    @cached_property
    def ledger(self) -> PostgresLedger:
        """The ledger of residents, and the registry of reply queues."""
        return PostgresLedger(self.database(self.settings.database_secret_id))

    @cached_property
    def reader(self) -> CachedLedger:
        """The ledger, read through Redis."""
        secret_id = self.settings.require("CACHE_SECRET_ID", self.settings.cache_secret_id)
        cache = RedisCache(
            secret=lambda: self.secrets.get(secret_id),
            renew_secret=lambda: self.secrets.forget(secret_id),
        )
        return CachedLedger(self.ledger, cache)

    @cached_property
    def reply_queues(self) -> SqsReplyQueues:
        """SQS, for replies."""
        return SqsReplyQueues(
            self._client("sqs"),
            registry=self.ledger,
            prefix=self.settings.prefix,
            policy=self.settings.require("REPLY_QUEUE_POLICY", self.settings.reply_queue_policy),
            clock=utc_now,
        )

    @cached_property
    def idle_queues(self) -> SqsIdleQueues:
        """SQS, for the sweeper."""
        return SqsIdleQueues(self._client("sqs"), prefix=self.settings.prefix)

    @cached_property
    def request_queue(self) -> SqsRequestQueue:
        """SQS, for when a request comes back."""
        url = self.settings.require("REQUEST_QUEUE_URL", self.settings.request_queue_url)
        return SqsRequestQueue(self._client("sqs"), url=url)

    @cached_property
    def identity(self) -> CognitoLogin:
        """Cognito, for logins."""
        client_id = self.settings.require("USER_POOL_CLIENT_ID", self.settings.user_pool_client_id)
        return CognitoLogin(self._client("cognito-idp"), client_id=client_id)

    @cached_property
    def admin_context(self) -> AdminContext:
        """What the operators' use cases work with."""
        return self.operators(
            database_secret_id=self.settings.database_secret_id,
            user_pool_id=self.settings.require("USER_POOL_ID", self.settings.user_pool_id),
        )

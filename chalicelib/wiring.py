"""The one place where adapters are put together. Everything is made on first use and kept warm."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config

from billing_app.adapters.cognito_admin import CognitoUserDirectory
from billing_app.adapters.cognito_login import CognitoLogin
from billing_app.adapters.connections import Database
from billing_app.adapters.ledger import PostgresLedger
from billing_app.adapters.migrations import migrate
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.adapters.redis_cache import RedisCache
from billing_app.adapters.reply_queues import SqsReplyQueues
from billing_app.adapters.secrets import Secrets
from billing_app.domain.errors import Unavailable
from billing_app.use_cases.operator_events import Desk, done, handle
from billing_app.use_cases.sweep import sweep_reply_queues
from chalicelib.batch import Batch, Work
from chalicelib.operations import Debts, History, Login, Payment
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

logger = logging.getLogger(__name__)

# Under the shortest function timeout: a service that hangs must not look like a dead function.
_AWS = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "max_attempts": 2})


def utc_now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class Wiring:
    """The parts of one function, from its settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def secrets(self) -> Secrets:
        """Secrets Manager."""
        return Secrets(boto3.client("secretsmanager", config=_AWS))

    @cached_property
    def database(self) -> Database:
        """Postgres in this function's role."""
        secret_id = self.settings.database_secret_id
        return Database(
            secret=lambda: self._database_secret(secret_id),
            renew_secret=lambda: self.secrets.forget(secret_id),
            application_name=self.settings.prefix,
        )

    @cached_property
    def ledger(self) -> PostgresLedger:
        """The books of residents, and the registry of reply queues."""
        return PostgresLedger(self.database)

    @cached_property
    def cache(self) -> RedisCache:
        """Redis."""
        secret_id = self.settings.require("CACHE_SECRET_ID", self.settings.cache_secret_id)
        return RedisCache(
            secret=self._secret(secret_id),
            renew_secret=lambda: self.secrets.forget(secret_id),
        )

    @cached_property
    def reply_queues(self) -> SqsReplyQueues:
        """SQS, for replies."""
        return SqsReplyQueues(
            boto3.client("sqs", config=_AWS),
            registry=self.ledger,
            prefix=self.settings.prefix,
            clock=utc_now,
        )

    @cached_property
    def cognito(self) -> CognitoIdentityProviderClient:
        """The client of the user pool."""
        return boto3.client("cognito-idp", config=_AWS)

    @cached_property
    def identity(self) -> CognitoLogin:
        """Cognito, for logins."""
        client_id = self.settings.require("USER_POOL_CLIENT_ID", self.settings.user_pool_client_id)
        return CognitoLogin(self.cognito, client_id=client_id)

    @cached_property
    def desk(self) -> Desk:
        """What the operators' use cases work with."""
        pool_id = self.settings.require("USER_POOL_ID", self.settings.user_pool_id)
        return Desk(
            ledger=PostgresOperatorLedger(self.database),
            directory=CognitoUserDirectory(self.cognito, user_pool_id=pool_id),
            clock=utc_now,
            new_id=uuid4,
        )

    def batch(self, operation: str) -> Batch:
        """Return what works off the records of an operation."""
        return Batch(
            operation=operation,
            work=self._work(operation),
            queues=self.reply_queues,
            prefix=self.settings.prefix,
            max_receive_count=self.settings.max_receive_count,
        )

    def sweep(self) -> dict[str, Any]:
        """Remove idle reply queues; an outage is reported, and the next sweep goes on."""
        try:
            report = sweep_reply_queues(
                registry=self.ledger, queues=self.reply_queues, prefix=self.settings.prefix
            )
        except Unavailable as error:
            logger.exception("sweep", exc_info=error)
            return {"status": "failed", "code": "service_unavailable"}
        logger.info("sweep", extra=asdict(report))
        return {"status": "done", **asdict(report)}

    def operator(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an operator asks for."""
        answer = handle(name, event, desk=self.desk)
        logger.info("operator", extra={"operation": name, "code": answer["code"]})
        return answer

    def migrate(self) -> dict[str, Any]:
        """Bring the database to the schema of this package and set the roles' passwords."""
        # What a warm process remembers may be from before a rotation, and would undo it.
        self.secrets.forget_all()
        passwords = {
            role: str(self.secrets.get(secret_id)["password"])
            for role, secret_id in self.settings.role_secret_ids.items()
        }
        secret = self._database_secret(self.settings.database_secret_id)
        report = migrate(secret=secret, role_passwords=passwords)
        logger.info("migrate", extra=asdict(report))
        return done(asdict(report))

    def _work(self, operation: str) -> Work:
        makers: Mapping[str, Callable[[], Work]] = {
            "auth": lambda: Login(self.identity, self.ledger),
            "utils": lambda: Debts(self.ledger, self.cache, utc_now),
            "payments": lambda: Payment(self.ledger),
            "histories": lambda: History(self.ledger, self.cache),
        }
        return makers[operation]()

    def _database_secret(self, secret_id: str) -> Mapping[str, Any]:
        return {**self.secrets.get(secret_id), **self.settings.database_place}

    def _secret(self, secret_id: str) -> Callable[[], Mapping[str, Any]]:
        return lambda: self.secrets.get(secret_id)

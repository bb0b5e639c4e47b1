"""The one place where the commands meet AWS and Postgres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config

from billing_app.adapters.cognito_admin import CognitoUserDirectory
from billing_app.adapters.connections import Database
from billing_app.adapters.invoked_functions import InvokedFunctions
from billing_app.adapters.migrations import MigrationError, migrate
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.adapters.secrets import Secrets
from billing_app.commands.session import Reach
from billing_app.commands.settings import Settings, Target, read_settings
from billing_app.domain.errors import Unavailable
from billing_app.domain.operator_errors import OperatorRejection
from billing_app.use_cases.operator_events import Answer, Desk, done, handle, rejected

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

_FUNCTION_TIMEOUT_SECONDS = 900
_AWS = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
_ROLES = ("writer", "reader", "operator")


def open_reach(target: Target) -> Reach:
    """Connect what the commands need; nothing is asked of the network yet."""
    return _deployed(target.invoke) if target.invoke else _direct(read_settings(target))


def _deployed(prefix: str) -> Reach:
    once = Config(read_timeout=_FUNCTION_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    functions = InvokedFunctions(boto3.client("lambda", config=once), prefix=prefix)
    return Reach(ask=_answering(functions), bills=functions)


def _answering(functions: InvokedFunctions) -> Callable[[str, Mapping[str, Any]], Answer]:
    def ask(name: str, event: Mapping[str, Any]) -> Answer:
        try:
            return functions(name, event)
        except Unavailable:
            return rejected(OperatorRejection("service_unavailable"))

    return ask


def _direct(settings: Settings) -> Reach:
    ledger = PostgresOperatorLedger(_database(settings))
    desk = Desk(
        ledger=ledger,
        directory=CognitoUserDirectory(_cognito(settings), user_pool_id=settings.user_pool_id),
        clock=lambda: datetime.now(UTC),
        new_id=uuid4,
    )

    def ask(name: str, event: Mapping[str, Any]) -> Answer:
        return _migrated(settings) if name == "migrate" else handle(name, event, desk=desk)

    return Reach(ask=ask, bills=ledger)


def _migrated(settings: Settings) -> Answer:
    """Migrate as the migrator and let the other roles in with the passwords of their secrets."""
    secrets = Secrets(_secrets_manager(settings))
    roles = [secrets.get(settings.secret_of(role)) for role in _ROLES]
    try:
        report = migrate(
            secret=secrets.get(settings.secret_of("migrator")),
            role_passwords={role["username"]: role["password"] for role in roles},
        )
    except MigrationError as error:
        return rejected(OperatorRejection("migration_failed", detail=str(error).rstrip(".")))
    return done(asdict(report))


def _database(settings: Settings) -> Database:
    secrets = Secrets(_secrets_manager(settings))
    secret_id = settings.database_secret_id
    return Database(
        secret=lambda: secrets.get(secret_id),
        renew_secret=lambda: secrets.forget(secret_id),
        application_name="billing-admin",
    )


def _cognito(settings: Settings) -> CognitoIdentityProviderClient:
    session = _session(settings)
    return session.client("cognito-idp", endpoint_url=settings.endpoint_url, config=_AWS)


def _secrets_manager(settings: Settings) -> SecretsManagerClient:
    session = _session(settings)
    return session.client("secretsmanager", endpoint_url=settings.endpoint_url, config=_AWS)


def _session(settings: Settings) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        region_name=settings.region,
    )

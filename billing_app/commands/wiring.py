"""The one place where the commands meet AWS and Postgres."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from billing_app.adapters.invoked_functions import InvokedFunctions
from billing_app.adapters.migrations import MigrationError
from billing_app.bootstrap import Adapters
from billing_app.commands.session import Reach
from billing_app.commands.settings import Settings, Target, read_settings
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.use_cases.operator_events import Answer, done, function_event, handle, rejected

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
            return functions(*function_event(name, event))
        except Unavailable:
            return rejected(Rejection("service_unavailable"))

    return ask


def _direct(settings: Settings) -> Reach:
    session = boto3.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        region_name=settings.region,
    )
    adapters = Adapters(
        client=partial(session.client, endpoint_url=settings.endpoint_url, config=_AWS),
        application_name="billing-admin",
    )
    desk = adapters.operators(
        database_secret_id=settings.database_secret_id, user_pool_id=settings.user_pool_id
    )

    def ask(name: str, event: Mapping[str, Any]) -> Answer:
        if name == "migrate":
            return _migrated(adapters, settings)
        return handle(name, event, desk=desk)

    return Reach(ask=ask, bills=desk.ledger)


def _migrated(adapters: Adapters, settings: Settings) -> Answer:
    """Migrate as the migrator and let the other roles in with the passwords of their secrets."""
    try:
        report = adapters.migrate(
            owner_secret_id=settings.secret_of("migrator"),
            role_secret_ids={f"billing_{role}": settings.secret_of(role) for role in _ROLES},
        )
    except MigrationError as error:
        return rejected(Rejection("migration_failed", detail=str(error).rstrip(".")))
    return done(asdict(report))

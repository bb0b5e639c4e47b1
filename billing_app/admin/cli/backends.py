"""Where `billing-admin` does its operations: in the local service, or by deployed functions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import click
from botocore.config import Config

from billing_app.adapters.invoked_functions import InvokedFunctions
from billing_app.adapters.migrations import MigrationError
from billing_app.admin.cli.context import Backend
from billing_app.admin.operations import Answer, done, function_event, handle, rejected
from billing_app.bootstrap import Adapters
from billing_app.domain.errors import Rejection, Unavailable

_FUNCTION_TIMEOUT_SECONDS = 900
_AWS = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
_ROLES = ("writer", "reader", "operator")


def invoked_backend(prefix: str) -> Backend:
    """Return the functions `<prefix>-<name>` of the AWS account that boto3 finds."""
    once = Config(read_timeout=_FUNCTION_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    functions = InvokedFunctions(boto3.client("lambda", config=once), prefix=prefix)

    def ask(name: str, arguments: Mapping[str, Any]) -> Answer:
        try:
            return functions(*function_event(name, arguments))
        except Unavailable:
            return rejected(Rejection("service_unavailable"))

    return Backend(ask=ask, bills=functions)


def local_backend() -> Backend:
    """Return the service that `make up` runs, used as its functions use it.

    Raises:
        click.UsageError: no service has been started in this folder.
    """
    file = Path(os.environ.get("BILLING_STATE") or ".local") / "cloud.json"
    try:
        cloud = json.loads(file.read_text(encoding="utf-8"))
        return _local_backend(cloud)
    except (OSError, ValueError, KeyError) as error:
        message = f"{file} can't be read: run `make up` first, in the same folder."
        raise click.UsageError(message) from error


def _local_backend(cloud: Mapping[str, Any]) -> Backend:
    # An emulator takes any credentials, and must never see the operator's own.
    keys: Any = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "local")
    session = boto3.Session(region_name=cloud["region"], **keys if cloud["aws_is_embedded"] else {})
    adapters = Adapters(
        client=partial(session.client, endpoint_url=cloud["aws_endpoint_url"], config=_AWS),
        application_name="billing-admin",
    )
    secret_ids = {role: f"{cloud['prefix']}/database/{role}" for role in ("migrator", *_ROLES)}
    context = adapters.operators(
        database_secret_id=secret_ids["operator"], user_pool_id=cloud["user_pool_id"]
    )

    def ask(name: str, arguments: Mapping[str, Any]) -> Answer:
        if name == "migrate":
            return _migrated(adapters, secret_ids)
        return handle(name, arguments, context=context)

    return Backend(ask=ask, bills=context.ledger)


def _migrated(adapters: Adapters, secret_ids: Mapping[str, str]) -> Answer:
    """Migrate as the migrator and give the other roles the passwords of their secrets."""
    try:
        report = adapters.migrate(
            owner_secret_id=secret_ids["migrator"],
            role_secret_ids={f"billing_{role}": secret_ids[role] for role in _ROLES},
            time_zone=None,
        )
    except MigrationError as error:
        return rejected(Rejection("migration_failed", detail=str(error).rstrip(".")))
    return done(asdict(report))

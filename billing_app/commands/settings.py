"""Where the commands work: told by the environment, or by what `make up` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from billing_app.adapters.queue_names import is_prefix


@dataclass(frozen=True)
class Target:
    """Which service is meant: that of `make up`, deployed functions, or the environment's."""

    environment: Mapping[str, str]
    local: bool = False
    invoke: str | None = None


@dataclass(frozen=True)
class Settings:
    """How to reach database, secrets and user pool. Keys are None where boto3 finds them itself."""

    prefix: str
    user_pool_id: str
    database_secret_id: str
    region: str | None
    endpoint_url: str | None
    access_key_id: str | None
    secret_access_key: str | None

    def secret_of(self, role: str) -> str:
        """Name the secret of a database role: migrator, writer, reader or operator."""
        return f"{self.prefix}/database/{role}"


def read_settings(target: Target) -> Settings:
    """Read the settings. Raises click.UsageError naming the variable that is missing or wrong."""
    values = _local_environment(target.environment) if target.local else target.environment
    prefix = _required(values, "BILLING_PREFIX")
    if not is_prefix(prefix):
        raise click.UsageError(f"BILLING_PREFIX is {prefix!r}: at most 12 of a-z, 0-9 and '-'.")
    return Settings(
        prefix=prefix,
        user_pool_id=_required(values, "USER_POOL_ID"),
        database_secret_id=values.get("DATABASE_SECRET_ID") or f"{prefix}/database/operator",
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION"),
        endpoint_url=values.get("AWS_ENDPOINT_URL"),
        access_key_id=values.get("AWS_ACCESS_KEY_ID"),
        secret_access_key=values.get("AWS_SECRET_ACCESS_KEY"),
    )


def _required(values: Mapping[str, str], name: str) -> str:
    value = values.get(name)
    if not value:
        raise click.UsageError(f"Set {name}, or give --local for the service of `make up`.")
    return value


def _local_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Read what the running local service wrote down about itself."""
    file = Path(environment.get("BILLING_STATE") or ".local") / "cloud.json"
    try:
        cloud = json.loads(file.read_text(encoding="utf-8"))
        return _variables_of(cloud) | _credentials(cloud, environment)
    except (OSError, ValueError, KeyError) as error:
        raise click.UsageError(
            f"{file} can't be read: run `make up` first, in the same folder."
        ) from error


def _variables_of(cloud: Mapping[str, str]) -> dict[str, str]:
    return {
        "BILLING_PREFIX": cloud["prefix"],
        "USER_POOL_ID": cloud["user_pool_id"],
        "AWS_REGION": cloud["region"],
        "AWS_ENDPOINT_URL": cloud["aws_endpoint_url"],
    }


def _credentials(cloud: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Take any credentials for the emulator, which must never see the operator's own."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if cloud["aws_is_embedded"]:
        return dict.fromkeys(names, "local")
    return {name: environment[name] for name in names if name in environment}

"""What the environment tells a function, read and validated once, on first use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

# SQS allows 80 characters in a name, of which "-r-", two UUIDs without dashes and the dash
# between them take 68: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
PREFIX_MAX_LENGTH = 12
# The rule of `prefix` in terraform/variables.tf, which a test compares with this one.
_PREFIX = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def is_prefix(text: str) -> bool:
    """Tell whether the names of a deployment can start with `text`."""
    return len(text) <= PREFIX_MAX_LENGTH and _PREFIX.fullmatch(text) is not None


class SettingsError(Exception):
    """The environment is not what the function needs; names every variable at fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of one function. Ids of secrets, never secrets."""

    prefix: str
    database_secret_id: str
    cache_secret_id: str | None
    user_pool_id: str | None
    user_pool_client_id: str | None
    request_queue_url: str | None
    reply_queue_policy: str | None
    role_secret_ids: Mapping[str, str]
    database_place: Mapping[str, str]
    max_receive_count: int
    log_level: str
    time_zone: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Validate the environment.

        Raises:
            SettingsError: with one line for each variable that is missing or wrong.
        """
        problems = list(_problems(environment))
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(
            prefix=environment["BILLING_PREFIX"],
            database_secret_id=environment["DATABASE_SECRET_ID"],
            cache_secret_id=environment.get("CACHE_SECRET_ID"),
            user_pool_id=environment.get("USER_POOL_ID"),
            user_pool_client_id=environment.get("USER_POOL_CLIENT_ID"),
            request_queue_url=environment.get("REQUEST_QUEUE_URL"),
            reply_queue_policy=environment.get("REPLY_QUEUE_POLICY"),
            role_secret_ids=_role_secret_ids(environment),
            database_place=_database_place(environment),
            max_receive_count=int(environment.get("MAX_RECEIVE_COUNT", "3")),
            log_level=environment.get("LOG_LEVEL", "INFO"),
            # Only the migration has it: the others ask the database what a day is.
            time_zone=environment.get("BILLING_TIME_ZONE"),
        )

    def require(self, variable: str, value: str | None) -> str:
        """Return a setting that only some functions have.

        Raises:
            SettingsError: this function needs it and its environment lacks it.
        """
        if value is None:
            raise SettingsError(f"{variable} is not set")
        return value


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings.from_environment(os.environ)


def _problems(environment: Mapping[str, str]) -> list[str]:
    problems = [
        f"{name} is not set"
        for name in ("BILLING_PREFIX", "DATABASE_SECRET_ID")
        if not environment.get(name)
    ]
    if environment.get("BILLING_PREFIX") and not is_prefix(environment["BILLING_PREFIX"]):
        problems.append(
            f"BILLING_PREFIX must be at most {PREFIX_MAX_LENGTH} of a-z, 0-9 and single dashes,"
            " starting with a letter and not ending with a dash"
        )
    count = environment.get("MAX_RECEIVE_COUNT", "3")
    if not count.isascii() or not count.isdigit() or int(count) < 1:
        problems.append("MAX_RECEIVE_COUNT must be a whole number from 1")
    if environment.get("LOG_LEVEL", "INFO") not in _LEVELS:
        problems.append(f"LOG_LEVEL must be one of {', '.join(_LEVELS)}")
    return problems


def _role_secret_ids(environment: Mapping[str, str]) -> dict[str, str]:
    """Map each database role to its secret; only the migration has them."""
    return {
        f"billing_{role}": environment[f"{role.upper()}_SECRET_ID"]
        for role in ("writer", "reader", "operator")
        if f"{role.upper()}_SECRET_ID" in environment
    }


def _database_place(environment: Mapping[str, str]) -> dict[str, str]:
    """Say where the database is, for secrets that hold a login alone, as those of RDS do."""
    places = {
        "host": "DATABASE_HOST",
        "port": "DATABASE_PORT",
        "dbname": "DATABASE_NAME",
        "sslmode": "DATABASE_SSLMODE",
        "pooled": "DATABASE_POOLED",
    }
    return {
        field: environment[variable]
        for field, variable in places.items()
        if variable in environment
    }

"""Clients of the servers, through their proxies; each tries once."""

from __future__ import annotations

from typing import Any

import boto3
import psycopg2
from botocore.config import Config
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tools.chaos.servers import Servers
from tools.local.settings import LOCAL_CREDENTIALS


def database(servers: Servers) -> Connection:
    connection: Connection = psycopg2.connect(
        servers.variables()["DATABASE_URL"], connect_timeout=2
    )
    connection.autocommit = True
    return connection


def ask(connection: Connection, statement: str, *values: object) -> Any:
    """Return the first value of the answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()[0][0]


def pay(connection: Connection, bill: str = "b") -> str:
    """Pay, and return the receipt: the bill's name many times over."""
    return str(ask(connection, "SELECT api.pay(%s)", bill))


def paid(servers: Servers) -> int:
    """Count the payments, past the proxy."""
    with servers.postgres.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM paid")
        return int(cursor.fetchall()[0][0])


def cache(servers: Servers) -> Redis:
    options: dict[str, Any] = {"socket_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
    client: Redis = Redis.from_url(servers.variables()["REDIS_URL"], **options)
    return client


def sqs_client(servers: Servers, *, read_timeout: int = 30) -> Any:
    variables = servers.variables()
    options: dict[str, Any] = {name.lower(): value for name, value in LOCAL_CREDENTIALS.items()}
    options["endpoint_url"] = variables["AWS_ENDPOINT_URL"]
    options["region_name"] = variables["AWS_REGION"]
    options["config"] = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
    return boto3.client("sqs", **options)

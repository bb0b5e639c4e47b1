"""The servers under the service, those of the local stack, each with a proxy before it."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from redis import Redis

from billing_app.adapters.cognito_admin import CognitoUserDirectory
from tools.chaos.clock import Clock
from tools.chaos.proxies.aws import AwsProxy
from tools.chaos.proxies.postgres import PAYMENT, PostgresProxy
from tools.chaos.proxies.redis import RedisProxy
from tools.chaos.proxies.tcp import Proxy
from tools.local.children import stop_all
from tools.local.clients import Clients
from tools.local.postgres import EmbeddedPostgres
from tools.local.servers import Servers as LocalServers
from tools.local.settings import Settings
from tools.local.state import StateFolder

_STOP_SECONDS = 60.0
REGION = "eu-central-1"


class Postgres(EmbeddedPostgres):
    """The database, which can be stopped, frozen and started again, and whose clock can be set.

    Without fsync, but with synchronous commit: what was committed outlives any of its processes.
    Call `start` and `recover` from one lasting thread.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, durable=False)

    @cached_property
    def clock(self) -> Clock:
        """The clock of the server's processes, in a folder that its user reaches."""
        return Clock(self.data / "clock")

    def _command(self) -> list[str]:
        # Not in our own environment: its user must not share what root had preloaded.
        variables = [f"{name}={value}" for name, value in self.clock.variables.items()]
        return ["/usr/bin/env", *variables, *super()._command()]

    def quit(self) -> None:
        """Stop it at once: no process of it cleans up; may come from any thread."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(_STOP_SECONDS)

    def recover(self) -> None:
        """Start a stopped server again.

        Raises:
            LocalStackError: It doesn't come up.
        """
        self.launch()
        self.wait_until_ready()

    def signal_all(self, number: int) -> None:
        """Send a signal to every process of it."""
        if self.process is None or self.process.poll() is not None:
            return
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children(recursive=True)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                # A connection that has just ended.
                continue

    def connect(self, user: str = "", password: str = "") -> Connection:
        """Connect past the proxy, as the database's owner by default; autocommit."""
        options: dict[str, Any] = {"user": user, "password": password} if user else {}
        connection: Connection = psycopg2.connect(self.url, **options, connect_timeout=5)
        connection.autocommit = True
        return connection

    @contextmanager
    def cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        """Give a cursor of the owner."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            yield cursor


class Servers:
    """All servers, with a proxy before each. Start and stop from one lasting thread.

    No fault kills Redis, SQS, Cognito and Secrets Manager themselves: AWS keeps what it took, and
    faults of Redis are its proxy's, but for lost and old values. `statements`: see PostgresProxy.
    """

    def __init__(self, folder: Path, statements: Mapping[str, str] = PAYMENT) -> None:
        self.postgres = Postgres(folder / "postgres")
        self._statements = statements
        # Naming a database keeps one from being started.
        settings = Settings(state=folder / "others", region=REGION, database_url="-")
        self._state = StateFolder(folder / "others")
        self._others = LocalServers(settings, self._state)
        self._proxies: list[Proxy] = []

    def start(self) -> None:
        """Start all.

        Raises:
            LocalStackError: One doesn't come up.
        """
        self._state.acquire()
        self._others.start()
        self.postgres.start()
        self.postgres_proxy = PostgresProxy(port_of(self.postgres.url), self._statements)
        self.redis_proxy = RedisProxy(port_of(self._others.redis_url))
        self.aws_proxy = AwsProxy(port_of(self._others.aws_endpoint_url))
        self._proxies = [self.postgres_proxy, self.redis_proxy, self.aws_proxy]
        for proxy in self._proxies:
            proxy.start()

    def restore(self) -> None:
        """End every fault of the proxies."""
        for proxy in self._proxies:
            proxy.restore()

    def stop(self) -> None:
        """Stop all that was started, and remove the database's data."""
        for proxy in self._proxies:
            proxy.stop()
        self.postgres.destroy()
        stop_all(self._others.children)
        self._state.release()

    def redis(self) -> Redis:
        """Make a client of the cache, past the proxy."""
        client: Redis = Redis.from_url(self._others.redis_url, socket_timeout=10)
        return client

    def cached_values(self) -> dict[bytes, bytes]:
        """Return all that the cache holds now."""
        with self.redis() as redis:
            found = {key: redis.get(key) for key in redis.scan_iter(count=1000)}
        return {key: value for key, value in found.items() if isinstance(value, bytes)}

    def clients(self) -> Clients:
        """Make clients of the AWS services, past the proxy."""
        return Clients(endpoint_url=self._others.aws_endpoint_url, region=REGION)

    def add_user(self, pool_id: str, username: str, password: str) -> UUID:
        """Make a user of a pool with this password and return their sub."""
        users = CognitoUserDirectory(self.clients().cognito, user_pool_id=pool_id)
        login = users.create(username=username, email=None, password=password)
        users.set_password(username=username, password=password, permanent=True)
        return login.subject

    def variables(self) -> dict[str, str]:
        """Environment with which the service uses these servers, through the proxies."""
        return {
            "DATABASE_URL": _through(self.postgres.url, self.postgres_proxy.port),
            "REDIS_URL": _through(self._others.redis_url, self.redis_proxy.port),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.aws_proxy.port}",
            "AWS_REGION": REGION,
        }


def port_of(url: str) -> int:
    """Return the port in a URL."""
    return int(urlsplit(url).port or 0)


def _through(url: str, port: int) -> str:
    return url.replace(f":{port_of(url)}/", f":{port}/")

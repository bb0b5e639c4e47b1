"""The servers under the service, each of localcloud's own kind, and the doors to them."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class
from redis import Redis

from tools.chaos.clock import Clock
from tools.chaos.errors import NotStarted
from tools.chaos.proxies import AwsProxy, PostgresProxy, RedisProxy
from tools.local.children import stop_all
from tools.local.clients import Clients
from tools.local.postgres import EmbeddedPostgres
from tools.local.redis import EmbeddedRedis
from tools.local.servers import Servers as LocalServers
from tools.local.settings import Settings
from tools.local.state import StateFolder

_START_SECONDS = 60.0
_REGION = "eu-central-1"


class ClockedPostgres(EmbeddedPostgres):
    """An embedded Postgres that looks at a clock of ours.

    Without fsync, but with synchronous commit: what was committed outlives any of its processes.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, durable=False)
        self._clock: Clock | None = None

    @property
    def clock(self) -> Clock:
        """The clock of the server's processes, in a folder that its user reaches."""
        if self._clock is None:
            self._clock = Clock(self.data / "clock")
        return self._clock

    def _command(self) -> list[str]:
        # Not in our own environment: its user must not share what root had preloaded.
        variables = [f"{name}={value}" for name, value in self.clock.variables.items()]
        return ["/usr/bin/env", *variables, *super()._command()]


class Postgres:
    """The database: stopped at once, frozen, started again. Call all from one lasting thread."""

    def __init__(self, folder: Path) -> None:
        self._server = ClockedPostgres(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on what is there, or make it."""
        self._server.prepare()
        self.resume()
        self._server.ensure_database()

    def resume(self) -> None:
        """Start it again and wait until it has recovered; raises NotStarted."""
        if self._process is None:
            self._process = self._server.spawn()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"Postgres did not start; see {self._server.log}")
            time.sleep(0.05)

    def quit(self) -> None:
        """Signal an immediate stop: no process of it cleans up; may come from any thread."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)

    def wait_for_end(self) -> None:
        """Wait until a signalled stop has ended it."""
        if self._process is not None:
            self._process.wait(_START_SECONDS)
            self._process = None

    def freeze(self) -> None:
        """Stop every process of it in its tracks."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """End it for good, and remove its data."""
        self._server.destroy()

    @property
    def log(self) -> Path:
        """Its log file."""
        return self._server.log

    @property
    def clock(self) -> Clock:
        """The clock that its processes see."""
        return self._server.clock

    @property
    def url(self) -> str:
        """URL of the database for its owner."""
        return self._server.url

    def connect(self, user: str = "", password: str = "") -> Connection:
        """Connect straight to the server, as its owner unless told otherwise; autocommit."""
        options: dict[str, Any] = {"user": user, "password": password} if user else {}
        connection: Connection = psycopg2.connect(self.url, **options, connect_timeout=5)
        connection.autocommit = True
        return connection

    @contextmanager
    def cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        """Give a cursor of the owner."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            yield cursor

    def _signal_all(self, number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        server = psutil.Process(self._process.pid)
        for process in (server, *server.children(recursive=True)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                # A connection that has just ended.
                continue


class Aws:
    """SQS, Cognito and Secrets Manager, which no fault kills: AWS keeps what it took."""

    def __init__(self, folder: Path) -> None:
        # Naming the other two keeps them from being started.
        settings = Settings(state=folder, region=_REGION, database_url="-", redis_url="-")
        self._folder = StateFolder(folder)
        self._servers = LocalServers(settings, self._folder)

    def start(self) -> None:
        """Start it and wait for it."""
        self._folder.acquire()
        self._servers.start(after_aws_restart=lambda: None)
        self._servers.wait_until_ready()

    def stop(self) -> None:
        """End it."""
        stop_all(self._servers.children)
        self._folder.release()

    @property
    def port(self) -> int:
        """Port of all its services."""
        return port_of(self._servers.aws_endpoint_url)

    def clients(self) -> Clients:
        """Make clients straight to it."""
        return Clients(endpoint_url=self._servers.aws_endpoint_url, region=_REGION)


class Servers:
    """All servers, with a proxy before each. Start and stop from one lasting thread."""

    def __init__(self, folder: Path) -> None:
        self.postgres = Postgres(folder / "postgres")
        self.aws = Aws(folder / "aws")
        self._redis = EmbeddedRedis(folder / "redis")
        self._redis_url = ""
        self._proxies: list[PostgresProxy | RedisProxy | AwsProxy] = []

    def start(self) -> None:
        """Start all; raises LocalCloudError or NotStarted when one can't."""
        self.aws.start()
        self._redis_url = self._redis.start()
        self.postgres.start()
        self.postgres_door = PostgresProxy(port_of(self.postgres.url))
        self.redis_door = RedisProxy(port_of(self._redis_url))
        self.aws_door = AwsProxy(self.aws.port)
        self._proxies = [self.postgres_door, self.redis_door, self.aws_door]
        for proxy in self._proxies:
            proxy.start()

    def restore(self) -> None:
        """End every fault of the proxies."""
        for proxy in self._proxies:
            proxy.restore()

    def stop(self) -> None:
        """End all that was started."""
        for proxy in self._proxies:
            proxy.stop()
        self.postgres.stop()
        self._redis.stop()
        self.aws.stop()

    def redis(self) -> Redis:
        """Make a client straight to the cache."""
        client: Any = Redis.from_url(self._redis_url, socket_timeout=10)
        made: Redis = client
        return made

    def variables(self) -> dict[str, str]:
        """Environment with which the service uses these servers, through the proxies."""
        return {
            "DATABASE_URL": through(self.postgres.url, self.postgres_door.port),
            "REDIS_URL": through(self._redis_url, self.redis_door.port),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.aws_door.port}",
            "AWS_REGION": _REGION,
        }


def port_of(url: str) -> int:
    """Return the port in a URL."""
    return int(urlsplit(url).port or 0)


def through(url: str, port: int) -> str:
    """Return the URL with another port."""
    return url.replace(f":{port_of(url)}/", f":{port}/")

"""The servers of the service behind proxies, real workers before them, and no gateway."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2
from psycopg2 import sql
from redis import Redis

from billing_app.adapters.migrations import migrate
from tests.matrix.workers import PreforkServer, Worker
from tests.support.databases import LedgerDatabase, Login
from tools.chaos.proxies import AwsProxy, PostgresProxy, RedisProxy
from tools.local.application import function_environment
from tools.local.clients import Clients
from tools.local.cloud import Cloud
from tools.local.provision import (
    cache_secret,
    database_secret,
    provision_identity,
    provision_queues,
    provision_secrets,
)
from tools.local.servers import Servers
from tools.local.settings import Settings
from tools.local.state import StateFolder

# The statement of each operation whose call of the database has named steps.
STATEMENTS = {
    "auth": "api.resident_account(",
    "utils": "api.apartment_access(",
    "histories": "api.settled_history(",
    "payments": "api.pay(",
}
PREFIX = "matrix"
REGION = "eu-central-1"


class Harness:
    """Postgres, Redis and AWS's services, each behind a proxy, and the way to start workers."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(state=folder, prefix=PREFIX, durable=False)
        self._state = StateFolder(folder)
        self._state.acquire()
        self.servers = Servers(self._settings, self._state)
        self.servers.start()
        self.passwords = self.servers.role_passwords()
        self.clients = Clients(endpoint_url=self.servers.aws_endpoint_url, region=REGION)
        self._make_proxies()
        self.cloud = self._provision()
        log = self._state.logs / "prefork.log"
        self._prefork = PreforkServer(function_environment(self.cloud, "gateway"), log)

    def close(self) -> None:
        """End everything that was started."""
        self._prefork.close()
        for proxy in (*self.postgres.values(), self.redis, self.aws):
            proxy.stop()
        for child in self.servers.children:
            child.force()
            if child.process is not None:
                child.process.wait()
        self._state.release()

    def worker(self, function: str, *, seconds: float) -> Worker:
        """Start a worker of a function; its calls may take so many seconds."""
        port = {"DATABASE_PORT": str(self.postgres[function].port)}
        environment = function_environment(self.cloud, function) | port
        return self._prefork.worker(function, environment, seconds=seconds, log=self.log)

    @property
    def log(self) -> Path:
        """What all workers have said."""
        return self._state.logs / "workers.log"

    def database(self) -> LedgerDatabase:
        """The ledger, past the proxies; connections break when the server is stopped."""
        return _Roles(Login.from_url(self.servers.database_url), self.passwords)

    def redis_past_proxy(self) -> Redis:
        """The cache, past its proxy."""
        return Redis.from_url(self.servers.redis_url)

    def stop_postgres(self) -> None:
        """Stop the database at once, as a crash does."""
        process = self._postgres.process
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def start_postgres(self) -> None:
        """Start it again, unless it runs; it recovers first."""
        child = self._postgres
        assert child.process is not None
        if child.process.poll() is not None:
            child.launch()
            child.wait_until_ready()

    def freeze_postgres(self, number: int = signal.SIGSTOP) -> None:
        """Stop all of its processes where they are."""
        assert self._postgres.process is not None
        server = psutil.Process(self._postgres.process.pid)
        for process in (server, *server.children(recursive=True)):
            process.send_signal(number)

    def thaw_postgres(self) -> None:
        """Let them go on."""
        self.freeze_postgres(signal.SIGCONT)

    def rotate(self, role: str) -> None:
        """Give a database role another password, in the database and in its secret."""
        password = self.passwords[role] + "x"
        self.passwords = {**self.passwords, role: password}
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        with closing(psycopg2.connect(self.servers.database_url)) as owner:
            with owner.cursor() as cursor:
                role_name = sql.Identifier(f"billing_{role}")
                cursor.execute(statement.format(role_name, sql.Literal(password)))
            owner.commit()
        self._provision_secrets()

    @property
    def _postgres(self) -> Any:
        return next(child for child in self.servers.children if child.name == "postgres")

    def _make_proxies(self) -> None:
        port = urlsplit(self.servers.database_url).port or 0
        self.postgres = {
            function: PostgresProxy(port, statement=statement)
            for function, statement in STATEMENTS.items()
        }
        self.redis = RedisProxy(urlsplit(self.servers.redis_url).port or 0)
        self.aws = AwsProxy(urlsplit(self.servers.aws_endpoint_url).port or 0)
        for proxy in (*self.postgres.values(), self.redis, self.aws):
            proxy.start()

    def _provision(self) -> Cloud:
        provision_queues(self.clients, self._settings)
        identity = provision_identity(self.clients, self._settings)
        roles = {f"billing_{role}": password for role, password in self.passwords.items()}
        migrate(secret=database_secret(self.servers.database_url), role_passwords=roles)
        self._provision_secrets()
        return Cloud(
            api="",
            prefix=PREFIX,
            region=REGION,
            aws_endpoint_url=f"http://127.0.0.1:{self.aws.port}",
            aws_is_embedded=True,
            database_url=self.servers.database_url,
            redis_url=self.servers.redis_url,
            user_pool_id=identity.user_pool_id,
            user_pool_client_id=identity.user_pool_client_id,
            workers=[],
            logs=str(self._state.logs),
        )

    def _provision_secrets(self) -> None:
        real = cache_secret(self.servers.redis_url)
        behind_proxy = f"redis://:{real['password']}@127.0.0.1:{self.redis.port}/0"
        provision_secrets(
            self.clients,
            self._settings,
            database_url=self.servers.database_url,
            redis_url=behind_proxy,
            role_passwords=self.passwords,
        )


class _Roles(LedgerDatabase):
    """The harness's database, whose roles have passwords of their own."""

    def __init__(self, owner: Login, passwords: Mapping[str, str]) -> None:
        super().__init__(admin=owner, owner=owner)
        self._passwords = passwords

    def login(self, role: str) -> Login:
        login = super().login(role)
        if role not in self._passwords:
            return login
        return Login(**{**vars(login), "password": self._passwords[role]})

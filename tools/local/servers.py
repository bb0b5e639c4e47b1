"""Database, cache and AWS services: embedded ones, or real ones that the environment names."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.local import processes
from tools.local.children import Child
from tools.local.embedded import EmbeddedServer, package_folder
from tools.local.files import read_json, write_private_json
from tools.local.postgres import EmbeddedPostgres
from tools.local.provision import DATABASE_ROLES
from tools.local.redis import EmbeddedRedis
from tools.local.settings import REPOSITORY, Settings
from tools.local.state import StateFolder


class EmbeddedAws(EmbeddedServer):
    """SQS, Cognito and Secrets Manager: moto as a process, on the same port at each start."""

    # After all that use it, and before the databases.
    stop_group = 1

    def __init__(self, folder: Path, *, region: str, log: Path | None = None) -> None:
        super().__init__("aws", log or folder / "aws.log")
        self._folder, self._region, self._port = folder, region, 0

    def prepare(self) -> None:
        """Settle on the port."""
        package_folder("moto", "AWS_ENDPOINT_URL")
        file = self._folder / "aws.json"
        self._port = processes.free_port((read_json(file) or {"port": None})["port"])
        write_private_json(file, {"port": self._port})

    def spawn(self) -> processes.Process:
        """Start the prepared process without waiting for it."""
        users = self._folder / "cognito.pickle"
        command = [sys.executable, "-m", "tools.local.aws", "--port", str(self._port)]
        return processes.spawn(
            [*command, "--region", self._region, "--cognito-file", users],
            log=self.log,
            folder=REPOSITORY,
        )

    def is_ready(self) -> bool:
        """Tell whether it takes connections."""
        return processes.listens(self.url)

    @property
    def url(self) -> str:
        """URL of all its services."""
        return f"http://127.0.0.1:{self._port}"


class Servers:
    """What the functions need to run. Its children are only those that are embedded."""

    def __init__(self, settings: Settings, folder: StateFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._embedded = {server.name: server for server in self._missing()}
        self.children: list[Child] = list(self._embedded.values())

    def _missing(self) -> Iterator[EmbeddedServer]:
        """Make those that the environment doesn't name; the slow ones first."""
        settings, path, logs = self._settings, self._folder.path, self._folder.logs
        if settings.aws_endpoint_url is None:
            yield EmbeddedAws(path, region=settings.region, log=logs / "aws.log")
        if settings.redis_url is None:
            yield EmbeddedRedis(path / "redis", log=logs / "redis.log")
        if settings.database_url is None:
            log = logs / "postgres.log"
            yield EmbeddedPostgres(path / "postgres", durable=settings.durable, log=log)

    def start(self, *, after_aws_restart: Callable[[], None] | None = None) -> None:
        """Start the embedded ones, all at once, and wait for them.

        `after_aws_restart` gives the AWS services anew what they only have in memory.

        Raises:
            LocalStackError: One can't be started, or does not come up.
        """
        for server in self._embedded.values():
            server.prepare()
            server.launch()
        for server in self._embedded.values():
            server.wait_until_ready()
        if aws := self._embedded.get("aws"):
            aws.after_restart = after_aws_restart

    @property
    def database_url(self) -> str:
        """URL of the database's owner."""
        return self._settings.database_url or self._embedded["postgres"].url

    @property
    def redis_url(self) -> str:
        """URL of the cache."""
        return self._settings.redis_url or self._embedded["redis"].url

    @property
    def aws_endpoint_url(self) -> str:
        """URL of SQS, Cognito and Secrets Manager."""
        return self._settings.aws_endpoint_url or self._embedded["aws"].url

    def role_passwords(self) -> dict[str, str]:
        """Return the passwords of the database roles, made on the first start and kept."""
        file = self._folder.path / "roles.json"
        kept: dict[str, str] | None = read_json(file)
        if kept is None:
            kept = {role: secrets.token_urlsafe(24) for role in DATABASE_ROLES}
            write_private_json(file, kept)
        return kept

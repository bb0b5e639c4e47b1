"""Database, cache and AWS services: embedded ones, or real ones that the environment names."""

import importlib.util
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from tools.local import processes
from tools.local.children import Child, Process
from tools.local.errors import LocalCloudError
from tools.local.files import read_json, write_private_json
from tools.local.postgres import EmbeddedPostgres
from tools.local.provision import DATABASE_ROLES
from tools.local.redis import EmbeddedRedis
from tools.local.settings import REPOSITORY, Settings
from tools.local.state import StateFolder

_READY_SECONDS = 60.0
# Ended last, in this order: all others use them.
_STOP_GROUP = 0


class Servers:
    """What the functions stand on. Its children are only those that are embedded."""

    def __init__(self, settings: Settings, folder: StateFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self._aws_port = 0
        self.children: list[Child] = []

    def start(self, *, after_aws_restart: Callable[[], None]) -> None:
        """Start the embedded ones, all at once. Raises LocalCloudError when one can't.

        ``after_aws_restart`` gives the AWS services anew what they only have in memory.
        """
        # In the order of how long they take: the slow ones start while we prepare the next.
        if self._settings.aws_endpoint_url is None:
            self._launch(self._aws_child(after_aws_restart))
        if self._settings.redis_url is None:
            self._launch(self._redis_child())
        if self._settings.database_url is None:
            self._launch(self._postgres_child())

    def wait_until_ready(self) -> None:
        """Wait for all that were started. Raises LocalCloudError when one does not come up."""
        for child in self.children:
            child.wait_until_ready(seconds=_READY_SECONDS)
        if self._postgres is not None:
            self._postgres.ensure_database()

    @property
    def database_url(self) -> str:
        """URL of the database's owner."""
        return self._postgres.url if self._postgres else str(self._settings.database_url)

    @property
    def redis_url(self) -> str:
        """URL of the cache."""
        return self._redis.url if self._redis else str(self._settings.redis_url)

    @property
    def aws_endpoint_url(self) -> str:
        """URL of SQS, Cognito and Secrets Manager."""
        return self._settings.aws_endpoint_url or f"http://127.0.0.1:{self._aws_port}"

    def role_passwords(self) -> dict[str, str]:
        """Passwords of the database roles, made on the first start and kept."""
        file = self._folder.path / "roles.json"
        kept: dict[str, str] | None = read_json(file)
        if kept is None:
            kept = {role: secrets.token_urlsafe(24) for role in DATABASE_ROLES}
            write_private_json(file, kept)
        return kept

    def _launch(self, child: Child) -> None:
        self.children.append(child)
        child.launch()

    def _postgres_child(self) -> Child:
        log = self._folder.logs / "postgres.log"
        postgres = EmbeddedPostgres(
            self._folder.path / "postgres", durable=self._settings.durable, log=log
        )
        postgres.prepare()
        self._postgres = postgres
        return Child(
            name="postgres",
            start=postgres.spawn,
            log=log,
            is_ready=postgres.answers,
            stop_group=_STOP_GROUP,
            # Fast shutdown, and the immediate one when there is no time for that.
            stop_signal=signal.SIGINT,
            force_signal=signal.SIGQUIT,
            grace_seconds=15.0,
        )

    def _redis_child(self) -> Child:
        log = self._folder.logs / "redis.log"
        server = EmbeddedRedis(self._folder.path / "redis", log=log)
        server.prepare()
        self._redis = server
        return Child(
            name="redis",
            start=server.spawn,
            log=log,
            is_ready=server.answers,
            stop_group=_STOP_GROUP,
        )

    def _aws_child(self, after_restart: Callable[[], None]) -> Child:
        _require_moto()
        file = self._folder.path / "aws.json"
        kept = read_json(file) or {"port": None}
        self._aws_port = processes.free_port(kept["port"])
        write_private_json(file, {"port": self._aws_port})
        return Child(
            name="aws",
            start=self._start_aws,
            log=self._folder.logs / "aws.log",
            is_ready=lambda: listens(self.aws_endpoint_url),
            stop_group=_STOP_GROUP + 1,
            after_restart=after_restart,
        )

    def _start_aws(self) -> Process:
        return processes.spawn(
            [
                *(sys.executable, "-m", "tools.local.aws"),
                *("--port", str(self._aws_port)),
                *("--region", self._settings.region),
                *("--cognito-file", self._folder.path / "cognito.json"),
            ],
            log=self._folder.logs / "aws.log",
            folder=REPOSITORY,
            # So that it can save its users, however we end.
            death_signal=signal.SIGTERM,
        )


def _require_moto() -> None:
    if importlib.util.find_spec("moto") is None:
        raise LocalCloudError(
            "The Python package moto is not installed. Run `make install`, or set AWS_ENDPOINT_URL"
            " to use AWS services that you have."
        )


def listens(url: str) -> bool:
    """Tell whether something takes connections at the URL's host and port."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1).close()
    except OSError:
        return False
    return True

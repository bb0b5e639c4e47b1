"""What a check runs on: emulators and real servers, on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from urllib.parse import urlsplit

from tools.deploy_check.certificates import Certificates, make_certificates
from tools.deploy_check.errors import DeployCheckError, MissingPrerequisiteError
from tools.local import processes
from tools.local.postgres import EmbeddedPostgres
from tools.local.processes import listens
from tools.local.redis import EmbeddedRedis

ACCOUNT = "123456789012"
_SECRET = "emulated"  # noqa: S105 - the emulators take any
_READY_SECONDS = 60.0
_FOLDER = Path(__file__).resolve().parent
_REPOSITORY = _FOLDER.parents[1]
EMULATOR_PYTHON = _REPOSITORY / ".venv" / "deploy-check" / "bin" / "python"


@dataclass(frozen=True)
class Environment:
    """Where ministack (over TLS), moto, Postgres and the cache answer."""

    folder: Path
    certificates: Certificates
    aws_url: str
    moto_url: str
    database_url: str
    redis_url: str
    cache_port: int

    @property
    def logs(self) -> Path:
        """Folder of all logs."""
        return self.folder / "logs"

    @property
    def decisions(self) -> Path:
        """File in which ministack writes which role was allowed or rejected what."""
        return self.logs / "decisions.jsonl"

    @property
    def credentials(self) -> dict[str, str]:
        """Environment of whoever acts as the account's owner."""
        return {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_CA_BUNDLE": str(self.certificates.certificate),
        }


@contextmanager
def running(folder: Path, *, emulator: Path) -> Iterator[Environment]:
    """Start everything and stop it when the block ends.

    Raises:
        MissingPrerequisiteError: the emulator is not installed.
        DeployCheckError: a process does not start.
    """
    if not emulator.exists():
        raise MissingPrerequisiteError(f"{emulator} is missing. Run `make deploy-check`.")
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    ports = {name: processes.free_port() for name in ("ministack", "moto", "cache")}
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False, log=logs / "postgres.log")
        stack.callback(postgres.destroy)
        postgres.start()
        redis = EmbeddedRedis(folder / "redis", log=logs / "redis.log")
        stack.callback(redis.stop)
        redis.start()
        environment = Environment(
            folder,
            make_certificates(folder / "tls"),
            aws_url=f"https://127.0.0.1:{ports['ministack']}",
            moto_url=f"http://127.0.0.1:{ports['moto']}",
            database_url=postgres.url,
            redis_url=redis.url,
            cache_port=ports["cache"],
        )
        environment.decisions.touch()
        children = _Children(environment, stack)
        children.start("ministack", [emulator, _FOLDER / "emulator.py"], _ministack(environment))
        children.start("moto", [*_module("moto_server"), str(ports["moto"])])
        tls = environment.certificates
        proxy = (str(ports["cache"]), str(urlsplit(redis.url).port), tls.certificate, tls.key)
        children.start("cache", [*_module("tls_proxy"), *proxy])
        children.wait(ports)
        yield environment


class _Children:
    """The processes that are ours alone."""

    def __init__(self, environment: Environment, stack: ExitStack) -> None:
        self._logs, self._stack = environment.logs, stack
        self._processes: dict[str, Popen[bytes]] = {}

    def start(
        self, name: str, command: Sequence[str | Path], variables: dict[str, str] | None = None
    ) -> None:
        process = processes.spawn(
            command,
            log=self._logs / f"{name}.log",
            environment=_plain() | (variables or {}),
            folder=_REPOSITORY,
        )
        self._stack.callback(processes.stop, process, signal_number=signal.SIGTERM, grace_seconds=5)
        self._processes[name] = process

    def wait(self, ports: dict[str, int]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        for name, port in ports.items():
            while not listens(f"http://127.0.0.1:{port}"):
                if self._processes[name].poll() is not None or time.monotonic() > deadline:
                    raise DeployCheckError(f"{name} did not start; see {self._logs / name}.log")
                time.sleep(0.1)


def _ministack(environment: Environment) -> dict[str, str]:
    scratch = environment.folder / "ministack"
    scratch.mkdir(exist_ok=True)
    tls = environment.certificates
    return {
        **environment.credentials,
        "TMPDIR": str(scratch),
        "STATE_DIR": str(scratch / "state"),
        "GATEWAY_PORT": str(urlsplit(environment.aws_url).port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(tls.certificate),
        "MINISTACK_SSL_KEY": str(tls.key),
        # The functions inherit this: they trust the emulators and the cache as they trust AWS.
        "SSL_CERT_FILE": str(tls.certificate),
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(environment.cache_port),
        "DECISIONS_LOG": str(environment.decisions),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


def _plain() -> dict[str, str]:
    """Return the environment without anything that could lead to somebody's real account."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"tools.deploy_check.{name}"]

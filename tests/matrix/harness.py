"""The servers of the service behind proxies, real workers before them, and no gateway."""

from __future__ import annotations

from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from psycopg2 import sql

from billing_app.adapters.migrations import migrate
from tests.matrix.workers import start_worker
from tests.support.databases import ROLE_PASSWORD, ROLES, LedgerDatabase, Login
from tools.chaos.servers import REGION, Servers
from tools.local.application import function_environment
from tools.local.cloud import Cloud
from tools.local.provision import (
    database_secret,
    provision_identity,
    provision_queues,
    provision_secrets,
)
from tools.local.settings import Settings

# The statement of each operation whose call of the database has named steps.
STATEMENTS = {
    "api.resident_account(": "auth",
    "api.apartment_access(": "utils",
    "api.settled_history(": "histories",
    "api.pay(": "payments",
}
PREFIX = "matrix"
OTHER_PASSWORD = "Canary of a rotated one"


class Harness(Servers):
    """Servers with all that the service needs on them, and the way to start workers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, STATEMENTS)
        self.log = folder / "workers.log"
        self._settings = Settings(state=folder, prefix=PREFIX, region=REGION)

    def start(self) -> None:
        """Start all, and provide what Terraform would."""
        super().start()
        self.sqs: Any = self.clients().sqs
        provision_queues(self.clients(), self._settings)
        roles = {f"billing_{role}": ROLE_PASSWORD for role in ROLES}
        migrate(secret=database_secret(self.postgres.url), role_passwords=roles)
        self._provide_secrets({})
        variables, identity = self.variables(), provision_identity(self.clients(), self._settings)
        self.cloud = Cloud(
            api="",
            prefix=PREFIX,
            region=REGION,
            aws_endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_is_embedded=True,
            database_url=variables["DATABASE_URL"],
            redis_url=variables["REDIS_URL"],
            user_pool_id=identity.user_pool_id,
            user_pool_client_id=identity.user_pool_client_id,
            workers=[],
            logs="",
        )

    def worker(self, function: str, *, seconds: float) -> BaseProcess:
        """Start a worker of a function; its calls may take so many seconds."""
        environment = function_environment(self.cloud, function)
        return start_worker(function, environment, seconds=seconds, log=self.log)

    def database(self) -> LedgerDatabase:
        """The ledger, past the proxies; connections break when the server is stopped."""
        owner = Login.from_url(self.postgres.url)
        return LedgerDatabase(admin=owner, owner=owner)

    def rotate(self, role: str, password: str) -> None:
        """Give a database role another password, in the database and in its secret."""
        names = sql.Identifier(f"billing_{role}"), sql.Literal(password)
        with self.postgres.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(*names))
        self._provide_secrets({role: password})
        # A session outlives its password: only who comes anew is asked for it.
        self.postgres_proxy.cut()

    def _provide_secrets(self, changed: Mapping[str, str]) -> None:
        variables = self.variables()
        provision_secrets(
            self.clients(),
            self._settings,
            database_url=variables["DATABASE_URL"],
            redis_url=variables["REDIS_URL"],
            role_passwords={**dict.fromkeys(ROLES, ROLE_PASSWORD), **changed},
        )

"""Builds adapters from plain arguments, for the Lambda functions and `billing-admin` alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from billing_app.adapters.cognito_admin import CognitoUserDirectory
from billing_app.adapters.connections import Database
from billing_app.adapters.deadline import Deadline
from billing_app.adapters.migrations import MigrationReport, migrate
from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.adapters.secrets import Secrets
from billing_app.ports.operator_ledger import AdminContext

NO_PLACE: Mapping[str, str] = {}


def utc_now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


class Adapters:
    """The adapters that every process needs, made on first use and kept while it is warm.

    Args:
        client: Makes the boto3 client of a service, by its name.
        application_name: How Postgres names our connections.
        database_place: Fields of a connection that the secrets lack, as those of RDS do.
    """

    def __init__(
        self,
        *,
        client: Callable[[str], Any],
        application_name: str,
        database_place: Mapping[str, str] = NO_PLACE,
    ) -> None:
        self._client = client
        self._application_name = application_name
        self._database_place = database_place
        self.deadline = Deadline()

    @cached_property
    def secrets(self) -> Secrets:
        """Secrets Manager."""
        return Secrets(self._client("secretsmanager"))

    def database(self, secret_id: str) -> Database:
        """Return Postgres, as the role whose secret this is."""
        return Database(
            secret=lambda: self._database_secret(secret_id),
            renew_secret=lambda: self.secrets.forget(secret_id),
            application_name=self._application_name,
            deadline=self.deadline,
        )

    def operators(self, *, database_secret_id: str, user_pool_id: str) -> AdminContext:
        """Return what the operators' use cases work with."""
        return AdminContext(
            ledger=PostgresOperatorLedger(self.database(database_secret_id)),
            directory=CognitoUserDirectory(self._client("cognito-idp"), user_pool_id=user_pool_id),
            clock=utc_now,
            new_id=uuid4,
        )

    def migrate(
        self,
        *,
        owner_secret_id: str,
        role_secret_ids: Mapping[str, str],
        time_zone: str | None,
    ) -> MigrationReport:
        """Bring the database to this version's schema; set the roles' passwords and the time zone.

        Raises:
            MigrationError: the database can't be reached, or rejected a file, the zone or a role.
            Unavailable: a secret can't be read.
        """
        # What a warm process remembers may be from before a rotation, and would undo it.
        self.secrets.forget_all()
        passwords = {
            role: str(self.secrets.get(secret_id)["password"])
            for role, secret_id in role_secret_ids.items()
        }
        return migrate(
            secret=self._database_secret(owner_secret_id),
            role_passwords=passwords,
            time_zone=time_zone,
        )

    def _database_secret(self, secret_id: str) -> Mapping[str, Any]:
        return {**self.secrets.get(secret_id), **self._database_place}

"""What operators do for a load: issue bills before it, and look into the ledger afterwards."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from psycopg2.extras import Json

from tools.load.errors import LoadError
from tools.load.users import Bill
from tools.local.cloud import Cloud
from tools.local.demo_data import PROVIDERS

_AMOUNT_MINOR = 1250


class Operators:
    """Operators of a local stack, connected to the database as its owner."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._connection = connection

    def issue(self, apartment_id: str, count: int) -> list[Bill]:
        """Issue bills and return them."""
        if count == 0:
            return []
        batch = {
            "import_id": str(uuid.uuid4()),
            "file_name": "load.csv",
            "sha256": secrets.token_hex(32),
            "dry_run": False,
            "lines": [_line(apartment_id, number + 1) for number in range(count)],
        }
        [(answer,)] = self._rows("SELECT api.issue_bills(%s::jsonb)", Json(batch))
        if answer["status"] != "done":
            raise LoadError(f"The bills can't be issued: {answer.get('code')}")
        return [Bill(line["bill_id"], _AMOUNT_MINOR) for line in answer["data"]["lines"]]

    def violations(self) -> list[str]:
        """Return the rules that the ledger breaks."""
        return [str(rule) for rule, *_ in self._rows("SELECT * FROM api.violations()")]

    def payments(self, bill_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the payments of each bill that has any."""
        statement = (
            "SELECT bill_id::text, array_agg(payment_id::text) FROM billing.payment_lines"
            " WHERE bill_id = ANY(%s::uuid[]) GROUP BY bill_id"
        )
        return dict(self._rows(statement, list(bill_ids)))

    def _rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall()


@contextmanager
def operators_of(cloud: Cloud) -> Iterator[Operators]:
    """Give the operators of a running local stack."""
    connection = psycopg2.connect(cloud.database_url)
    connection.autocommit = True
    try:
        yield Operators(connection)
    finally:
        connection.close()


def _line(apartment_id: str, number: int) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    return {
        "line": number,
        "apartment_id": apartment_id,
        "utility": "water",
        "provider_id": next(iter(PROVIDERS)),
        "provider_reference": str(uuid.uuid4()),
        "period_from": (today - timedelta(days=60)).isoformat(),
        "period_to": (today - timedelta(days=31)).isoformat(),
        "due_on": (today + timedelta(days=10)).isoformat(),
        "amount_minor": _AMOUNT_MINOR,
        "currency": "EUR",
    }

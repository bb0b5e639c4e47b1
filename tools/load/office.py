"""The operators' side: makes residents, issues bills, and looks into books and queues."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg2
from psycopg2.extras import Json

from tools.load.errors import LoadError
from tools.load.users import Bill, Resident
from tools.local import demo_data
from tools.local.clients import Clients
from tools.local.cloud import Cloud
from tools.local.demo import ensure_user
from tools.local.service import service

_PROVIDER = "load-water"
_AMOUNT_MINOR = 1250


class Office:
    """Operators of a local cloud; they call the functions of the schema ``api``."""

    def __init__(self, cloud: Cloud, connection: psycopg2.extensions.connection) -> None:
        self._cloud, self._connection = cloud, connection
        self._clients = Clients(endpoint_url=cloud.aws_endpoint_url, region=cloud.region)
        self._urls: dict[str, str] = {}

    def residents(self, count: int, *, paid_bills: int) -> list[Resident]:
        """Make residents with a login, an apartment and a history each."""
        self._ask("add_provider(%s, %s)", _PROVIDER, "Load Water")
        return [self._resident(number, paid_bills) for number in range(count)]

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
        lines = self._ask("issue_bills(%s::jsonb)", Json(batch))["data"]["lines"]
        return [Bill(line["bill_id"], _AMOUNT_MINOR) for line in lines]

    def violations(self) -> list[str]:
        """Return the rules that the books break."""
        return [str(rule) for rule, _, _ in self._rows("SELECT * FROM api.violations()")]

    def times_paid(self, bill_ids: Sequence[str]) -> dict[str, int]:
        """Return how many payments each bill has that was paid at all."""
        statement = (
            "SELECT bill_id::text, count(*) FROM billing.payment_lines"
            " WHERE bill_id = ANY(%s::uuid[]) GROUP BY bill_id"
        )
        return dict(self._rows(statement, list(bill_ids)))

    def depths(self) -> dict[str, int]:
        """Return how many requests wait or are worked on, by queue."""
        return {name: self._depth(name) for name in service().queues}

    def dead_letters(self) -> set[str]:
        """Return the ids of the requests that were given up; they stay where they are."""
        queues = [name for name, queue in service().queues.items() if queue.dead_letters]
        return {found for name in queues for found in self._request_ids(f"{name}-dlq")}

    def _depth(self, queue: str) -> int:
        attributes = self._clients.sqs.get_queue_attributes(
            QueueUrl=self._url(queue),
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return sum(int(number) for number in attributes.values())

    def _request_ids(self, queue: str) -> Iterator[str]:
        while messages := self._clients.sqs.receive_message(
            QueueUrl=self._url(queue),
            MaxNumberOfMessages=10,
            VisibilityTimeout=30,
            MessageAttributeNames=["All"],
        ).get("Messages"):
            for message in messages:
                yield message["MessageAttributes"]["request_id"]["StringValue"]

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            name = f"{self._cloud.prefix}-{queue}"
            self._urls[queue] = self._clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[queue]

    def _resident(self, number: int, paid_bills: int) -> Resident:
        username, password = f"load-{uuid.uuid4().hex[:12]}", f"Load-1-{secrets.token_hex(12)}"
        apartment_id, name = str(uuid.uuid4()), f"Load {number}"
        subject = ensure_user(
            self._clients,
            self._cloud.user_pool_id,
            demo_data.Resident(username, name, ()),
            password=password,
            known=False,
        )
        self._ask("add_resident(%s::uuid, %s)", subject, name)
        self._ask("add_apartment(%s::uuid, %s)", apartment_id, f"{number} Load Street")
        since = datetime.now(UTC) - timedelta(days=365)
        self._ask("grant_residency(%s::uuid, %s::uuid, %s)", subject, apartment_id, since)
        self._pay(subject, apartment_id, self.issue(apartment_id, paid_bills))
        return Resident(username, password, apartment_id)

    def _pay(self, subject: str, apartment_id: str, bills: Iterable[Bill]) -> None:
        for bill in bills:
            self._ask(
                "pay(%s::uuid, %s, %s::uuid, %s::uuid[], NULL)",
                *(subject, str(uuid.uuid4()), apartment_id, [bill.bill_id]),
            )

    def _ask(self, call: str, *arguments: Any) -> dict[str, Any]:
        [(answer,)] = self._rows(f"SELECT api.{call}", *arguments)
        if answer["status"] != "done":
            raise LoadError(f"The operators were rejected: {call}: {answer.get('code')}")
        done: dict[str, Any] = answer
        return done

    def _rows(self, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return cursor.fetchall()


@contextmanager
def office_of(cloud: Cloud) -> Iterator[Office]:
    """Give the operators of a running local cloud; they connect as the database's owner."""
    connection = psycopg2.connect(cloud.database_url)
    connection.autocommit = True
    try:
        yield Office(cloud, connection)
    finally:
        connection.close()


def _line(apartment_id: str, number: int) -> dict[str, Any]:
    today = date.today()  # noqa: DTZ011 - bills have days, not instants
    return {
        "line": number,
        "apartment_id": apartment_id,
        "utility": "water",
        "provider_id": _PROVIDER,
        "provider_reference": str(uuid.uuid4()),
        "period_from": (today - timedelta(days=60)).isoformat(),
        "period_to": (today - timedelta(days=31)).isoformat(),
        "due_on": (today + timedelta(days=10)).isoformat(),
        "amount_minor": _AMOUNT_MINOR,
        "currency": "EUR",
    }

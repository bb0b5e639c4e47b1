"""What is left after a run: the ledger, the queues, the logs. The checker sees nothing else.

`final.json` holds
- `ledger`: for each table of the ledger its rows as objects; instants as in the HTTP contract;
- `violations`: what `api.violations()` says of these tables;
- `dead_letters`, `waiting`: messages of the dead-letter and the request queues, each with `queue`,
  `body` and `attributes`;
- `replies`: reply queues, each with `owner` (a sub, or null for a login), `queue_name`, `replies`;
- `logs`: names of log files, relative to `final.json`;
- `secrets`: name of the file with canaries, `{"kind", "value"}` a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tools.chaos.workload.http import without_tokens
from tools.local.service import service

Json = dict[str, Any]

TABLES = (
    *("apartment_state", "apartments", "bill_reinstatements", "bill_voids", "bills", "deployment"),
    *("history", "open_bills", "payment_lines", "payment_requests", "payments", "providers"),
    *("residencies", "residents", "reversals", "settled_bills"),
)
# Long enough to empty a queue, short enough to look again.
_HIDDEN_SECONDS = 20


def dump_ledger(connect: Callable[[], Connection]) -> Json:
    """Read the ledger in one snapshot, as its owner: `ledger` and `violations`."""
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        tables = {table: sql.Identifier("billing", table) for table in TABLES}
        return {
            "ledger": {table: _rows(cursor, place) for table, place in tables.items()},
            "violations": _rows(cursor, sql.SQL("api.violations()")),
        }


def _rows(cursor: Any, place: sql.Composable) -> list[Json]:
    cursor.execute(sql.SQL("SELECT * FROM {}").format(place))
    names = [column.name for column in cursor.description]
    return [
        {name: as_json(value) for name, value in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]


def as_json(value: Any) -> Any:
    """Write instants as the contract does, and what else JSON doesn't know as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value if value is None or isinstance(value, bool | int | str | dict) else str(value)


class Queues:
    """Looks into SQS without taking anything away."""

    def __init__(self, sqs: Any, prefix: str) -> None:
        self._sqs = sqs
        self._prefix = prefix

    def dead_letters(self) -> list[Json]:
        """Return what lies in the dead-letter queues."""
        return [
            one for op in service().queues for one in self._messages(f"{self._prefix}-{op}-dlq")
        ]

    def waiting(self) -> list[Json]:
        """Return what waits in the request queues and is visible now."""
        return [one for op in service().queues for one in self._messages(f"{self._prefix}-{op}")]

    def dead_requests(self) -> set[str]:
        """Return the ids of the requests in the dead-letter queues."""
        return {str(letter["attributes"].get("request_id")) for letter in self.dead_letters()}

    def replies(self) -> list[Json]:
        """Return the reply queues that hold something; docs/security.md describes their names."""
        found = []
        for kind in ("r", "login"):
            prefix = f"{self._prefix}-{kind}-"
            queues = self._sqs.list_queues(QueueNamePrefix=prefix, MaxResults=1000)
            for url in queues.get("QueueUrls", []):
                name = url.rsplit("/", 1)[-1]
                *owner, queue_name = (
                    str(UUID(one)) for one in name.removeprefix(prefix).split("-")
                )
                bodies = [json.loads(one["body"]) for one in self._messages(name)]
                replies = [without_tokens(body) for body in bodies]
                place = {"owner": owner[0] if owner else None, "queue_name": queue_name}
                found += [{**place, "replies": replies}] if replies else []
        return found

    def _messages(self, name: str) -> list[Json]:
        """Read a queue to its end, then make its messages visible again."""
        try:
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist:
            return []
        messages = list(self._received(url))
        for message in messages:
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return [_letter(name, message) for message in messages]

    def _received(self, url: str) -> Iterator[Json]:
        while messages := self._sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages"):
            yield from messages


def _letter(queue: str, message: Json) -> Json:
    attributes = message.get("MessageAttributes", {}).items()
    values = {name: value.get("StringValue") for name, value in attributes}
    return {"queue": queue, "body": message["Body"], "attributes": values}


def collect(
    *, owner: Callable[[], Connection], queues: Queues, logs: Sequence[Path], folder: Path
) -> None:
    """Write `final.json` into the run's folder, which the logs are in.

    `owner` connects as the owner of the database.
    """
    final = {
        **dump_ledger(owner),
        "dead_letters": queues.dead_letters(),
        "waiting": queues.waiting(),
        "replies": queues.replies(),
        "logs": [str(log.relative_to(folder)) for log in logs],
        "secrets": "secrets.jsonl",
    }
    (folder / "final.json").write_text(json.dumps(final, ensure_ascii=False), encoding="utf-8")

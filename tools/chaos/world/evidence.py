"""What is left after a run: the books, the queues, the logs. For the judge, who asks nobody else.

`final.json` holds
- `books`: for each table of the books its rows as objects; instants as in the HTTP contract;
- `dead_letters`, `waiting`: messages of the dead-letter and the request queues, each with `queue`,
  `body` and `attributes`;
- `replies`: reply queues, each with `owner` (a sub, or null for a login), `queue_name`, `replies`;
- `logs`: names of log files, relative to `final.json`;
- `secrets`: path of the file with canaries, `{"kind", "value"}` a line.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

Json = dict[str, Any]

TABLES = (
    "apartment_state",
    "bill_voids",
    "bills",
    "history",
    "open_bills",
    "payment_lines",
    "payment_requests",
    "payments",
    "residencies",
    "residents",
    "reversals",
    "settled_bills",
)
OPERATIONS = ("auth", "utils", "payments", "histories")
# Long enough to empty a queue, short enough to look again.
_HIDDEN_SECONDS = 20


def dump_books(connect: Callable[[], Connection]) -> dict[str, list[Json]]:
    """Read all tables of the books in one snapshot, as their owner."""
    with closing(connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return {table: _rows(cursor, table) for table in TABLES}


def _rows(cursor: Any, table: str) -> list[Json]:
    cursor.execute(sql.SQL("SELECT * FROM billing.{}").format(sql.Identifier(table)))
    names = [column.name for column in cursor.description]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True) if name != "name"}
        for row in cursor.fetchall()
    ]


def _plain(value: Any) -> Any:
    """Write instants as the contract does; people's names are left out by the caller."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


class Queues:
    """Looks into SQS without taking anything away."""

    def __init__(self, sqs: Any, prefix: str) -> None:
        self._sqs = sqs
        self._prefix = prefix

    def dead_letters(self) -> list[Json]:
        """Return what lies in the dead-letter queues."""
        return [one for op in OPERATIONS for one in self._messages(f"{self._prefix}-{op}-dlq")]

    def waiting(self) -> list[Json]:
        """Return what waits in the request queues and can be seen now."""
        return [one for op in OPERATIONS for one in self._messages(f"{self._prefix}-{op}")]

    def dead_requests(self) -> set[str]:
        """Return the ids of the requests in the dead-letter queues."""
        return {str(letter["attributes"].get("request_id")) for letter in self.dead_letters()}

    def replies(self) -> list[Json]:
        """Return the reply queues that hold something, by owner."""
        found = []
        for kind in ("r", "login"):
            for name in self._names(f"{self._prefix}-{kind}-"):
                replies = [json.loads(one["body"]) for one in self._messages(name)]
                if replies:
                    found.append({**_place(name, self._prefix), "replies": replies})
        return found

    def _names(self, prefix: str) -> list[str]:
        urls = self._sqs.list_queues(QueueNamePrefix=prefix, MaxResults=1000).get("QueueUrls", [])
        return [url.rsplit("/", 1)[-1] for url in urls]

    def _messages(self, name: str) -> list[Json]:
        """Read a queue to its end, then show its messages to others again."""
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
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]


def _letter(queue: str, message: Json) -> Json:
    attributes = {
        name: value.get("StringValue")
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {"queue": queue, "body": message["Body"], "attributes": attributes}


def _place(name: str, prefix: str) -> Json:
    """Say whose queue it is: the names are told in docs/security.md."""
    kind, *ids = name.removeprefix(f"{prefix}-").split("-")
    uuids = [str(UUID(one)) for one in ids]
    return {"owner": uuids[0] if kind == "r" else None, "queue_name": uuids[-1]}


def collect(
    *,
    owner: Callable[[], Connection],
    queues: Queues,
    logs: Sequence[Path],
    secrets: Path,
    into: Path,
) -> Path:
    """Write `final.json` into a folder, with copies of the logs (files or folders) beside it.

    `owner` connects as the owner of the database. Returns the path of `final.json`.
    """
    evidence = {
        "books": dump_books(owner),
        "dead_letters": queues.dead_letters(),
        "waiting": queues.waiting(),
        "replies": queues.replies(),
        "logs": _copies(logs, into),
        "secrets": str(secrets.resolve()),
    }
    path = into / "final.json"
    path.write_text(json.dumps(evidence, default=str, ensure_ascii=False), encoding="utf-8")
    return path


def _copies(logs: Sequence[Path], into: Path) -> list[str]:
    """Copy log files; those of a folder are all that have .log in their names."""
    (into / "logs").mkdir(exist_ok=True)
    names: list[str] = []
    for place in logs:
        for file in sorted(place.rglob("*.log*")) if place.is_dir() else [place]:
            name = f"logs/{len(names):03}-{file.name}"
            shutil.copyfile(file, into / name)
            names.append(name)
    return names

"""Reply queues, which the functions make and only the sweeper removes."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import psycopg2

from billing_app.adapters.queue_names import reply_queue_prefixes
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.operator_client import OperatorLedger, Resident
from tools.deploy_check.requests import Requests, bodies

_ROUNDS = 5
# As long as the emulator may take to date a new queue back.
_AGING_SECONDS = 1.0


class ReplyQueues:
    """Lets reply queues grow old, and has the deployed function sweep them away."""

    def __init__(self, cloud: Cloud, *, prefix: str) -> None:
        self._sqs = cloud.client("sqs")
        self._database_url = cloud.stage.postgres.url
        self._prefixes = reply_queue_prefixes(prefix=prefix)

    def make_some(self, requests: Requests, resident: Resident) -> None:
        """Have a queue of each kind made, and grow old."""
        for operation in ("auth", "utils"):
            requests.is_answered(operation, bodies(resident, str(uuid4()))[operation])
        self.grow_old()

    def grow_old(self) -> None:
        """Let all of them expire, as they do a day after nobody has asked for them."""
        time.sleep(_AGING_SECONDS)
        connection: Any = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE billing.reply_queues SET expires_at = now() - interval '1 hour'"
                )
        finally:
            connection.close()

    def sweep(self, ledger: OperatorLedger) -> int:
        """Have all of them swept away; returns how many. Raises RehearsalError when some stay."""
        deleted = 0
        for url in self._urls():
            # Replies that nobody fetched run out by themselves, after a quarter of an hour.
            self._sqs.purge_queue(QueueUrl=url)
        for _ in range(_ROUNDS):
            self.grow_old()
            deleted += int(ledger.sweep()["deleted"])
            if not self._urls():
                return deleted
        raise RehearsalError(f"The sweeper leaves reply queues: {self._urls()}")

    def _urls(self) -> list[str]:
        found = [self._sqs.list_queues(QueueNamePrefix=prefix) for prefix in self._prefixes]
        return [url for answer in found for url in answer.get("QueueUrls", [])]

"""Partial batch answers: each record of a batch stands alone.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

from billing_app.adapters.deadline import Deadline
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.reply_queues import ReplyAddress, ReplyQueueHeld, ReplyQueues
from billing_app.ports.request_queue import RequestQueue
from chalicelib import replies
from chalicelib.operations import Dependencies, Operation
from chalicelib.records import Request, Undeliverable, read_record
from chalicelib.replies import Outcome
from chalicelib.settings import SettingsError

logger = logging.getLogger(__name__)

# Of a function's time, for what has no deadline: a pause between two attempts, Redis, the log.
RESERVE_SECONDS = 1.5

Record = Mapping[str, Any]
BatchAnswer = dict[str, list[dict[str, str]]]


class Batch:
    """Works off the records of one operation.

    A record that can't be done comes back until its last receive; then the user is told, and it
    goes to the dead-letter queue, if the operation has one.
    """

    def __init__(
        self,
        operation: Operation,
        dependencies: Dependencies,
        *,
        requests: RequestQueue,
        queues: ReplyQueues,
        deadline: Deadline,
        max_receive_count: int,
    ) -> None:
        self._operation = operation
        self._dependencies = dependencies
        self._requests = requests
        self._queues = queues
        self._deadline = deadline
        self._max_receive_count = max_receive_count

    def handle(self, event: Mapping[str, Any]) -> BatchAnswer:
        """Work off an SQS event; name the records that must come back."""
        records, failures = event["Records"], []
        for position, record in enumerate(records):
            self._deadline.divide(len(records) - position)
            if not self._acknowledged(record):
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    def _acknowledged(self, record: Record) -> bool:
        """Tell whether SQS may delete the record."""
        started = monotonic()
        operation = self._operation
        try:
            request = read_record(record, needs_subject=operation.needs_subject)
        except Undeliverable as error:
            logger.error("undeliverable", extra={"operation": operation.name, "reason": str(error)})
            return not operation.dead_letters
        outcome, acknowledged = self._outcome(request)
        if outcome is not None:
            acknowledged = self._reply(request, outcome) and acknowledged
        self._log(request, outcome, acknowledged=acknowledged, seconds=monotonic() - started)
        return acknowledged

    def _outcome(self, request: Request) -> tuple[Outcome | None, bool]:
        """Return the reply, if any, and whether the record can be deleted."""
        operation = self._operation
        try:
            parts = operation.run(request, self._dependencies)
            return Outcome("done", None, operation.done_message, parts), True
        except Rejection as rejection:
            return replies.rejected(rejection), True
        except SettingsError:
            # No record can be done: the function itself fails, and says which variable it lacks.
            raise
        except Exception as error:
            self._log_error(request, error)
            if request.receive_count < self._max_receive_count:
                return None, False
            return replies.failed(self._failure_code(error)), not operation.dead_letters

    def _failure_code(self, error: Exception) -> str:
        code = "service_unavailable" if isinstance(error, Unavailable) else "internal_error"
        return self._operation.unknown_outcome or code

    def _reply(self, request: Request, outcome: Outcome) -> bool:
        try:
            messages = replies.messages(
                outcome, request_id=request.request_id, operation=self._operation.name
            )
            self._queues.send(self._address(request), messages)
        except Exception as error:
            self._log_error(request, error)
            if isinstance(error, ReplyQueueHeld):
                self._requests.put_off(request.receipt_handle, wait=error.wait)
            # The work is done and its answer stored or repeatable: the record comes back for it.
            last = request.receive_count >= self._max_receive_count
            return last and not self._operation.dead_letters
        return True

    def _address(self, request: Request) -> ReplyAddress:
        """Say where the reply goes: for logged-in users a queue bound to their verified `sub`."""
        subject = request.caller if self._operation.needs_subject else None
        return ReplyAddress(request.queue_name, subject, self._operation.reply_retention)

    def _log_error(self, request: Request, error: Exception) -> None:
        logger.error(
            "request failed",
            exc_info=error,
            extra={"request_id": request.request_id, "operation": self._operation.name},
        )

    def _log(
        self, request: Request, outcome: Outcome | None, *, acknowledged: bool, seconds: float
    ) -> None:
        logger.info(
            "request",
            extra={
                "request_id": request.request_id,
                "operation": self._operation.name,
                "status": outcome.status if outcome else "retry",
                "code": outcome.code if outcome else None,
                "parts": len(outcome.parts) if outcome else 0,
                "receive_count": request.receive_count,
                "acknowledged": acknowledged,
                "milliseconds": round(seconds * 1000),
            },
        )

"""Partial batch answers: each record of a batch stands alone.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.reply_queues import ReplyQueues
from chalicelib import replies
from chalicelib.records import Request, Undeliverable, read_record
from chalicelib.replies import Outcome

logger = logging.getLogger(__name__)

Record = Mapping[str, Any]
BatchAnswer = dict[str, list[dict[str, str]]]
# Does the work of one request and returns the parts of its data; raises Rejection or Unavailable.
Work = Callable[[Request], list[dict[str, Any]]]


class Batch:
    """Works off the records of one operation.

    `dead_letters`: a record that can't be done goes to a dead-letter queue after its last receive.
    Logins have none, since a password must not rest in one: theirs are dropped.
    """

    def __init__(
        self,
        *,
        operation: str,
        work: Work,
        queues: ReplyQueues,
        prefix: str,
        max_receive_count: int,
    ) -> None:
        self._operation = operation
        self._work = work
        self._queues = queues
        self._prefix = prefix
        self._max_receive_count = max_receive_count
        self._dead_letters = operation != "auth"

    def handle(self, event: Mapping[str, Any]) -> BatchAnswer:
        """Work off an SQS event; name the records that must come back."""
        failures = [
            {"itemIdentifier": record["messageId"]}
            for record in event["Records"]
            if not self._settled(record)
        ]
        return {"batchItemFailures": failures}

    def _settled(self, record: Record) -> bool:
        """Tell whether SQS may delete the record."""
        started = monotonic()
        try:
            request = read_record(record, operation=self._operation)
        except Undeliverable as error:
            logger.error(
                "undeliverable", extra={"operation": self._operation, "reason": str(error)}
            )
            return not self._dead_letters
        outcome, settled = self._outcome(request)
        if outcome is not None:
            settled = self._reply(request, outcome) and settled
        self._log(request, outcome, settled=settled, seconds=monotonic() - started)
        return settled

    def _outcome(self, request: Request) -> tuple[Outcome | None, bool]:
        """Return what to answer, if anything, and whether the request is through with."""
        try:
            return replies.done(request.operation, self._work(request)), True
        except Rejection as rejection:
            return replies.rejected(rejection), True
        except Undeliverable:
            return None, not self._dead_letters
        except Exception as error:
            self._log_trouble(request, error)
            if request.receive_count < self._max_receive_count:
                return None, False
            return replies.failed(_failure_code(request, error)), not self._dead_letters

    def _reply(self, request: Request, outcome: Outcome) -> bool:
        try:
            address = replies.address(request, prefix=self._prefix)
            self._queues.send(address, replies.messages(request, outcome))
        except Exception as error:
            self._log_trouble(request, error)
            # The work is done and its answer stored or repeatable: the record comes back for it.
            last = request.receive_count >= self._max_receive_count
            return last and not self._dead_letters
        return True

    def _log_trouble(self, request: Request, error: Exception) -> None:
        logger.error(
            "trouble",
            exc_info=error,
            extra={"request_id": request.request_id, "operation": request.operation},
        )

    def _log(
        self, request: Request, outcome: Outcome | None, *, settled: bool, seconds: float
    ) -> None:
        logger.info(
            "request",
            extra={
                "request_id": request.request_id,
                "operation": request.operation,
                "status": outcome.status if outcome else "retry",
                "code": outcome.code if outcome else None,
                "parts": len(outcome.parts) if outcome else 0,
                "receive_count": request.receive_count,
                "settled": settled,
                "milliseconds": round(seconds * 1000),
            },
        )


def _failure_code(request: Request, error: Exception) -> str:
    if request.operation == "payments":
        # An earlier receive may have paid and lost the connection in COMMIT: never say "failed".
        return "payment_outcome_unknown"
    return "service_unavailable" if isinstance(error, Unavailable) else "internal_error"

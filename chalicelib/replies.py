"""The reply message: the shape that every answer has on its way to the client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing_app.domain.errors import CATALOGUE, Rejection
from billing_app.ports.reply_queues import ReplyAddress
from chalicelib.operations import Operation
from chalicelib.paging import to_json
from chalicelib.records import Request


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: done with its data in parts, or a code of the catalogue.

    Each part is JSON.
    """

    status: str
    code: str | None
    message: str
    parts: Sequence[str]


def done(operation: Operation, parts: Sequence[str]) -> Outcome:
    """Return the outcome of a request that was done."""
    return Outcome("done", None, operation.done_message, parts)


def rejected(rejection: Rejection) -> Outcome:
    """Return the outcome of a request that can't be done."""
    data = to_json(rejection.data)
    return Outcome(rejection.status, rejection.code, rejection.message, [data])


def failed(code: str) -> Outcome:
    """Return the outcome of a request that we failed to do."""
    return Outcome("failed", code, CATALOGUE[code].message, ["null"])


def messages(operation: Operation, request: Request, outcome: Outcome) -> list[str]:
    """Write the outcome as reply messages, one a part."""
    head = {
        "request_id": request.request_id,
        "operation": operation.name,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "parts": len(outcome.parts),
    }
    return [
        f'{to_json({**head, "part": number})[:-1]},"data":{data}}}'
        for number, data in enumerate(outcome.parts, start=1)
    ]


def address(operation: Operation, request: Request) -> ReplyAddress:
    """Say where the reply goes: for logged-in users a queue bound to their verified `sub`."""
    subject = request.caller if operation.needs_subject else None
    return ReplyAddress(request.queue_name, subject, operation.reply_retention)

"""The operators' use cases as JSON: an event in, an answer {status, code, message, data} out.

The Lambda functions and the `billing-admin` command both come through here, so that a use case
reads the same wherever it is started.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError

from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import (
    BillBatch,
    Data,
    LineResult,
    OperatorLedger,
    UserDirectory,
)
from billing_app.use_cases import imports, operator_schemas, reconciliation, residents, reversals
from billing_app.use_cases.bill_rows import Row

Answer = dict[str, Any]

# An answer of a Lambda function holds 6 MB.
MAX_REJECTED_LINES = 1000
DAYS_RECONCILED = 31


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases work with; `clock` tells an aware instant."""

    ledger: OperatorLedger
    directory: UserDirectory
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]


def handle(name: str, event: Mapping[str, Any], *, desk: Desk) -> Answer:
    """Run the use case called `name`; a rejection is an answer, an unexpected error is raised."""
    schema, act = _EVENTS[name]
    try:
        data = act(_loaded(schema, event), desk)
    except Rejection as rejection:
        return rejected(rejection)
    except Unavailable:
        return rejected(Rejection("service_unavailable"))
    return done(data)


def handle_event(
    function: str, event: Mapping[str, Any], *, desk: Desk
) -> tuple[str | None, Answer]:
    """Run the operation that an event of a function names; return its name and the answer.

    A function of one operation takes its arguments as the event; the others take
    `{"operation": name, "arguments": {...}}`.
    """
    if function in _EVENTS:
        return function, handle(function, event, desk=desk)
    try:
        loaded = _loaded(operator_schemas.OperationEvent(FUNCTIONS[function]), event)
    except Rejection as rejection:
        return None, rejected(rejection)
    return loaded["operation"], handle(loaded["operation"], loaded["arguments"], desk=desk)


def function_event(name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the function that does an operation, and the event that it takes for it."""
    for function, operations in FUNCTIONS.items():
        if name in operations:
            return function, {"operation": name, "arguments": arguments}
    return name, arguments


def done(data: Data) -> Answer:
    """Write what a use case returned as an answer."""
    return {"status": "done", "code": None, "message": "Done.", "data": data}


def rejected(rejection: Rejection) -> Answer:
    """Write a rejection as an answer."""
    data = dict(rejection.data) if rejection.data is not None else None
    message, advice = rejection.for_operator()
    return {
        "status": rejection.status,
        "code": rejection.code,
        "message": message,
        "advice": advice,
        "data": data,
    }


def _loaded(schema: Schema, event: Mapping[str, Any]) -> Data:
    try:
        loaded: Data = schema.load(event)
    except ValidationError as error:
        fields = error.messages_dict
        names = ", ".join(sorted(map(str, fields)))
        raise Rejection("invalid_request", detail=names, data={"fields": fields}) from error
    return loaded


def _add_resident(event: Data, desk: Desk) -> Data:
    since, permanent, password = event.pop("since"), event.pop("permanent"), event.pop("password")
    first = residents.FirstPassword(password, permanent) if password else None
    return residents.add_resident(
        resident=residents.NewResident(**event, password=first),
        since=since or desk.clock(),
        ledger=desk.ledger,
        directory=desk.directory,
    )


def _add_apartment(event: Data, desk: Desk) -> Data:
    apartment_id = event["apartment_id"] or desk.new_id()
    try:
        return desk.ledger.add_apartment(apartment_id=apartment_id, address=event["address"])
    except Rejection as rejection:
        # An id made just now can only be there because a lost answer was asked for again.
        if event["apartment_id"] or rejection.code != "apartment_exists":
            raise
    return {"apartment_id": str(apartment_id), "address": event["address"]}


def _grant_residency(event: Data, desk: Desk) -> Data:
    event["since"] = event["since"] or desk.clock()
    return residents.grant_residency(**event, ledger=desk.ledger, directory=desk.directory)


def _end_residency(event: Data, desk: Desk) -> Data:
    return residents.end_residency(**event, ledger=desk.ledger, directory=desk.directory)


def _disable_login(event: Data, desk: Desk) -> Data:
    return residents.disable_login(**event, directory=desk.directory)


def _add_provider(event: Data, desk: Desk) -> Data:
    return desk.ledger.add_provider(**event)


def _void_bill(event: Data, desk: Desk) -> Data:
    grounds = reversals.Grounds(operator=event["operator"], reason=event["reason"])
    return reversals.void_bill(bill_id=event["bill_id"], grounds=grounds, ledger=desk.ledger)


def _reverse_payment(event: Data, desk: Desk) -> Data:
    grounds = reversals.Grounds(operator=event["operator"], reason=event["reason"])
    return reversals.reverse_payment(
        payment_id=event["payment_id"], grounds=grounds, ledger=desk.ledger
    )


def _reconcile(event: Data, desk: Desk) -> Data:
    last_day: date = event["last_day"] or desk.clock().astimezone(UTC).date()
    first_day = event["first_day"] or last_day - timedelta(days=DAYS_RECONCILED - 1)
    found = reconciliation.reconcile(first_day=first_day, last_day=last_day, ledger=desk.ledger)
    data = reconciliation_data(found)
    if not found.agrees:
        raise Rejection("books_differ", data=data)
    return data


def reconciliation_data(found: reconciliation.Reconciliation) -> Data:
    """Write a reconciliation as JSON values."""
    return {
        "from": found.first_day.isoformat(),
        "to": found.last_day.isoformat(),
        "agrees": found.agrees,
        "rows": [{**asdict(row), "day": row.day.isoformat()} for row in found.rows],
        "violations": [asdict(one) for one in found.violations],
    }


def _import_bills(event: Data, desk: Desk) -> Data:
    return _issue_lines(event, desk) if event["lines"] else _import_text(event, desk)


def _issue_lines(event: Data, desk: Desk) -> Data:
    batch = BillBatch(
        import_id=event["import_id"],
        file_name=event["file_name"],
        sha256=event["sha256"],
        dry_run=event["dry_run"],
        lines=tuple(event["lines"]),
    )
    return {"lines": [result_data(one) for one in desk.ledger.issue_bills(batch=batch)]}


def result_data(result: LineResult) -> Data:
    """Write a line's result as JSON values."""
    bill_id = str(result.bill_id) if result.bill_id else None
    return {**asdict(result), "bill_id": bill_id}


def _import_text(event: Data, desk: Desk) -> Data:
    text: str = event["text"]
    rejected_rows: list[Row] = []
    summary = imports.import_bills(
        file=imports.BillFile(
            name=event["file_name"],
            sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
            lines=io.StringIO(text, newline="\n"),
            delimiter=event["delimiter"],
        ),
        import_id=event["import_id"] or desk.new_id(),
        dry_run=event["dry_run"],
        ledger=desk.ledger,
        seen=imports.RememberedReferences(),
        on_rejected=rejected_rows.append,
        on_progress=lambda _line: None,
    )
    return _import_answer(summary, rejected_rows)


def _import_answer(summary: imports.ImportSummary, rows: list[Row]) -> Data:
    data = summary_data(summary)
    data["rejected_lines"] = [row_data(row) for row in rows[:MAX_REJECTED_LINES]]
    data["rejected_lines_left_out"] = max(0, len(rows) - MAX_REJECTED_LINES)
    if rows:
        raise Rejection("lines_rejected", data=data)
    return data


def summary_data(summary: imports.ImportSummary) -> Data:
    """Write an import's counts as JSON values."""
    ends = ("issued", "revised", "already_present", "rejected")
    return {
        "import_id": str(summary.import_id),
        "dry_run": summary.dry_run,
        **{end: summary.results[end] for end in ends},
        "problems": dict(summary.problems),
    }


def row_data(row: Row) -> Data:
    """Write a rejected line as JSON values."""
    problems = [{**asdict(one), "message": one.message} for one in row.problems]
    return {"line": row.line, "problems": problems, "cells": list(row.cells)}


_EVENTS: dict[str, tuple[Schema, Callable[[Data, Desk], Data]]] = {
    "add_resident": (operator_schemas.AddResident(), _add_resident),
    "add_apartment": (operator_schemas.AddApartment(), _add_apartment),
    "grant_residency": (operator_schemas.GrantResidency(), _grant_residency),
    "end_residency": (operator_schemas.Residency(), _end_residency),
    "disable_login": (operator_schemas.Username(), _disable_login),
    "add_provider": (operator_schemas.AddProvider(), _add_provider),
    "import_bills": (operator_schemas.ImportBills(), _import_bills),
    "void_bill": (operator_schemas.VoidBill(), _void_bill),
    "reverse_payment": (operator_schemas.ReversePayment(), _reverse_payment),
    "reconcile": (operator_schemas.Reconcile(), _reconcile),
}
EVENT_NAMES = tuple(_EVENTS)

# Functions of several operations: a role for those that touch the ledger alone, and one for those
# that touch logins, too. Every other operation is a function of its own name.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "admin": ("add_apartment", "add_provider", "void_bill", "reverse_payment"),
    "admin_users": ("add_resident", "grant_residency", "end_residency", "disable_login"),
}

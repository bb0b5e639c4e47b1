"""The operation of operators that checks the ledger, and the same by schedule."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marshmallow import Schema, fields, validate

from billing_app.admin.arguments import OPTIONAL
from billing_app.admin.operation import AdminOperation, Json
from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import AdminContext
from billing_app.use_cases import reconciliation
from billing_app.use_cases.reconciliation import (
    DAYS_RECONCILED,
    Deadline,
    Reconciliation,
    is_overdue,
    reconcile,
)

# A call works so long, then says how to go on.
CALL_SECONDS = 20

# Python's first and last days have no day before or after them.
_A_DAY_OF_THE_LEDGER = validate.Range(date(1970, 1, 1), date(9_000, 1, 1))


class Reconcile(Schema):
    """The days to compare, both included; without them the last thirty-one.

    All apartments are checked, from `first_apartment` on if the days are done already, or only the
    one with the id.
    """

    first_day = fields.Date(data_key="from", validate=_A_DAY_OF_THE_LEDGER, **OPTIONAL)
    last_day = fields.Date(data_key="to", validate=_A_DAY_OF_THE_LEDGER, **OPTIONAL)
    apartment_id = fields.UUID(**OPTIONAL)
    first_apartment = fields.UUID(**OPTIONAL)


def _reconcile(given: Json, context: AdminContext) -> object:
    deadline = Deadline(context.clock, context.clock() + timedelta(seconds=CALL_SECONDS))
    today = context.ledger.day_of(context.clock())
    last_day: date = given["last_day"] or today.day
    first_day = given["first_day"] or last_day - timedelta(days=DAYS_RECONCILED - 1)
    found = Reconciliation(first_day, last_day, next_apartment=given["first_apartment"])
    if given["apartment_id"]:
        found.add(context.ledger.check_apartment(apartment_id=given["apartment_id"]))
    else:
        reconcile(found, ledger=context.ledger, deadline=deadline)
    apartments = context.ledger.check_progress().apartments
    return _reconciled(found, today.time_zone, apartments=apartments)


def reconcile_by_schedule(context: AdminContext, until: datetime) -> object:
    """Do what the schedule asks for, with the progress beside what was found.

    Raises:
        Rejection: ledger_differs, check_overdue.
    """
    deadline = Deadline(context.clock, until)
    today = context.ledger.day_of(context.clock())
    found, progress = reconciliation.reconcile_by_schedule(
        last_day=today.day, ledger=context.ledger, deadline=deadline
    )
    told = {"apartments": progress.apartments, "waiting": progress.waiting}
    data = _reconciled(found, today.time_zone, **told, oldest_check=progress.oldest)
    if found.next_day or is_overdue(progress, context.clock()):
        raise Rejection("check_overdue", data=data)
    return data


def _reconciled(found: Reconciliation, time_zone: str, **progress: object) -> Json:
    """Return what a reconciliation found as JSON; `next` has the arguments that go on.

    Raises:
        Rejection: ledger_differs, with the same data.
    """
    days, apartment = found.next_day, found.next_apartment
    go_on = {"from": days} if days else {"first_apartment": apartment} if apartment else None
    data = {
        "from": found.first_day,
        "to": found.last_day,
        "time_zone": time_zone,
        "agrees": found.agrees,
        "rows": found.rows,
        "violations": found.violations,
        "violations_left_out": found.violations_left_out,
        "checked": found.checked,
        **progress,
        "next": go_on,
    }
    if not found.agrees:
        raise Rejection("ledger_differs", data=data)
    return data


RECONCILE_OPERATIONS = (
    AdminOperation(
        name="reconcile",
        function="reconcile",
        schema=Reconcile(),
        work=_reconcile,
        example={"from": "2026-10-01", "to": "2026-10-31"},
    ),
)

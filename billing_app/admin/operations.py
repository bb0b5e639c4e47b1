"""All operations of operators, and their JSON: an event in, an answer out.

The Lambda functions, `billing-admin`, the table in docs/operators.md, the tests with hostile
values and the deployment check all take the operations from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from billing_app.admin.bill_operations import BILL_OPERATIONS
from billing_app.admin.formatting import plain
from billing_app.admin.ledger_operations import LEDGER_OPERATIONS
from billing_app.admin.operation import AdminOperation, Json
from billing_app.admin.reconcile_operations import RECONCILE_OPERATIONS
from billing_app.admin.user_operations import USER_OPERATIONS
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import AdminContext

Answer = dict[str, Any]

OPERATIONS: Mapping[str, AdminOperation] = {
    one.name: one
    for one in (*LEDGER_OPERATIONS, *USER_OPERATIONS, *BILL_OPERATIONS, *RECONCILE_OPERATIONS)
}


def handle(name: str, arguments: Mapping[str, Any], *, context: AdminContext) -> Answer:
    """Do an operation; a rejection is an answer, an unexpected error is raised."""
    operation = OPERATIONS[name]
    return answered(lambda: operation.work(_loaded(operation.schema, arguments), context))


def answered(work: Callable[[], object]) -> Answer:
    """Do some work and return its data, or why there is none, as an answer."""
    try:
        return done(work())
    except Rejection as rejection:
        return rejected(rejection)
    except Unavailable:
        return rejected(Rejection("service_unavailable"))


def handle_event(
    function: str, event: Mapping[str, Any], *, context: AdminContext
) -> tuple[str | None, Answer]:
    """Do the operation that an event of a function names; return its name and the answer.

    A function that is named as its only operation takes the arguments as the event; the others
    take `{"operation": name, "arguments": {...}}`.
    """
    if function in OPERATIONS:
        return function, handle(function, event, context=context)
    name, arguments = event.get("operation"), event.get("arguments")
    known = isinstance(name, str) and name in OPERATIONS and OPERATIONS[name].function == function
    if not known or not isinstance(arguments, Mapping) or len(event) != 2:
        fields = "operation" if not known else "arguments"
        return None, rejected(_invalid({fields: [f"{function} can't do this"]}))
    return name, handle(str(name), arguments, context=context)


def function_event(name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the function that does an operation, and the event that it takes for it."""
    function = OPERATIONS[name].function if name in OPERATIONS else name
    if function == name:
        return name, arguments
    return function, {"operation": name, "arguments": arguments}


def done(data: object) -> Answer:
    """Write what a use case returned as an answer."""
    return {"status": "done", "code": None, "message": "Done.", "data": plain(data)}


def rejected(rejection: Rejection) -> Answer:
    """Write a rejection as an answer."""
    message, advice = rejection.for_operator()
    return {
        "status": rejection.status,
        "code": rejection.code,
        "message": message,
        "advice": advice,
        "data": plain(rejection.data),
    }


def _loaded(schema: Schema, arguments: Mapping[str, Any]) -> Json:
    try:
        loaded: Json = schema.load(arguments)
    except ValidationError as error:
        raise _invalid(error.messages_dict) from error
    return loaded


def _invalid(fields: Mapping[str, Any]) -> Rejection:
    names = ", ".join(sorted(map(str, fields)))
    return Rejection("invalid_request", detail=names, data={"fields": fields})

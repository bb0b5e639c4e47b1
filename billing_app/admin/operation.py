"""What an operation of operators is: a record that says all about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from billing_app.ports.operator_ledger import AdminContext

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """How `billing-admin` offers an operation.

    `report` writes what was done, from arguments and data. `question` is asked before.
    """

    name: str
    help: str
    report: Callable[[Json], str]
    question: str | None = None


@dataclass(frozen=True, slots=True)
class AdminOperation:
    """An operation: its arguments, what does it, and which Lambda function may do it.

    `example` has the arguments of a typical call.
    """

    name: str
    function: str
    schema: Schema
    work: Callable[[Json, AdminContext], object]
    example: Json
    command: Command | None = None

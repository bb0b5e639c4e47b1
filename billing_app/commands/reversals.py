"""`billing-admin reverse` and `billing-admin void`: taking back what was posted."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click

from billing_app.commands.amounts import money
from billing_app.commands.session import Session, confirm, json_option, yes_option

Command = Callable[..., Any]


def grounds_options(command: Command) -> Command:
    """Add the options that say who takes something back and why."""
    command = click.option("--reason", required=True, help="Why, in a sentence; it is kept.")(
        command
    )
    return click.option(
        "--operator", default=getpass.getuser, show_default="your login name", help="Who; kept too."
    )(command)


@click.command()
@click.argument("payment_id", type=click.UUID)
@grounds_options
@yes_option
@json_option
@click.pass_obj
def reverse(session: Session, payment_id: UUID, reason: str, operator: str, yes: bool) -> None:
    """Reverse a payment: all its bills are open again, and the resident's history tells so.

    \b
    Example:
      billing-admin reverse 5f0c7a52-7d52-4cf5-9d55-0f1f7ad3a6f1 --reason "Paid twice at the bank"
    """
    confirm(f"Reverse payment {payment_id}? Its bills will be open again.", yes=yes)
    event = {"payment_id": str(payment_id), "reason": reason, "operator": operator}
    data = session.ask("reverse_payment", event)
    total = money(data["total_minor"], data["currency"])
    session.say(
        data,
        f"Receipt {data['receipt_number']} of {total} is reversed;"
        f" open again: {len(data['bills'])}.",
    )


@click.command()
@click.argument("bill_id", type=click.UUID)
@grounds_options
@yes_option
@json_option
@click.pass_obj
def void(session: Session, bill_id: UUID, reason: str, operator: str, yes: bool) -> None:
    """Void an open bill: it is owed no more. A paid one needs its payment reversed first.

    \b
    Example:
      billing-admin void 0d1f6a52-7d52-4cf5-9d55-0f1f7ad3a6f1 --reason "Meter was read wrongly"
    """
    confirm(f"Void bill {bill_id}?", yes=yes)
    event = {"bill_id": str(bill_id), "reason": reason, "operator": operator}
    data = session.ask("void_bill", event)
    session.say(data, f"Bill {bill_id} is void.")

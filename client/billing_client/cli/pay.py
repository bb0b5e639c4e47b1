"""`billing pay`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import click

from billing_client.cli import exit_codes
from billing_client.cli.context import CommandContext, apartment_option, with_context
from billing_client.cli.formatting import count_text, show_bills, show_receipt
from billing_client.errors import BillingError, RequestRejected, SelectionError
from billing_client.models import Bill, Debt, Money, PendingRequest, Provider, Receipt, totals
from billing_client.serialization import Json, encode_receipt

SomeBill = TypeVar("SomeBill", bound=Bill)

# `maxItems` of `bills_id` in the API contract.
MAX_BILLS = 1000


@dataclass(frozen=True)
class Selection:
    """The selected bills. An empty option restricts nothing; all others must match."""

    bills: tuple[str, ...] = ()
    utilities: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()

    @property
    def restricts(self) -> bool:
        """Tell whether any option is set."""
        return bool(self.bills or self.utilities or self.providers or self.periods)

    def among(self, bills: Sequence[SomeBill]) -> list[SomeBill]:
        """Return the bills that match; raises SelectionError for an id that matches none."""
        bill_ids = {_one_bill(start, bills) for start in self.bills}
        return [
            bill
            for bill in bills
            if (not bill_ids or bill.bill_id in bill_ids)
            and (not self.utilities or bill.utility.casefold() in _folded(self.utilities))
            and (not self.providers or _names(bill.provider) & _folded(self.providers))
            and (not self.periods or f"{bill.period.first:%Y-%m}" in self.periods)
        ]


def _folded(texts: Sequence[str]) -> set[str]:
    return {text.casefold() for text in texts}


def _names(provider: Provider) -> set[str]:
    return _folded((provider.provider_id, provider.name))


def _one_bill(start: str, debts: Sequence[Bill]) -> str:
    found = [debt.bill_id for debt in debts if debt.bill_id.startswith(start.lower())]
    if len(found) > 1:
        raise SelectionError("bill_ambiguous", f"{start!r} matches several open bills.")
    if not found:
        raise SelectionError("bill_not_found", f"{start!r} matches no open bill.")
    return found[0]


@dataclass
class Outcome:
    """The result of one run. Resumed receipts come with the path of their payment."""

    resumed: list[Json] = field(default_factory=list)
    resumed_receipts: list[tuple[str, Receipt]] = field(default_factory=list)
    receipt: Receipt | None = None
    cancelled: bool = False

    def as_json(self) -> Json:
        """Return the result for programs."""
        receipt = None if self.receipt is None else encode_receipt(self.receipt)
        return {"receipt": receipt, "cancelled": self.cancelled, "resumed": self.resumed}


def _bill_ids(_: click.Context, __: click.Parameter, starts: tuple[str, ...]) -> tuple[str, ...]:
    for start in starts:
        if not re.fullmatch(r"[0-9a-fA-F]{4}[0-9a-fA-F-]{0,32}", start):
            raise click.BadParameter(f"{start!r} is not a bill's id or its first four characters.")
    return starts


def _months(_: click.Context, __: click.Parameter, periods: tuple[str, ...]) -> tuple[str, ...]:
    for period in periods:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
            raise click.BadParameter(f"invalid month {period!r}: use YYYY-MM, for example 2026-10.")
    return periods


@click.command()
@apartment_option
@click.option(
    "--bill",
    "bills",
    multiple=True,
    metavar="ID",
    callback=_bill_ids,
    help="A bill's id, or at least its first four characters.",
)
@click.option("--utility", "utilities", multiple=True, help="Bills of this utility, such as gas.")
@click.option("--provider", "providers", multiple=True, help="Bills of this provider: name or id.")
@click.option(
    "--period",
    "periods",
    multiple=True,
    metavar="YYYY-MM",
    callback=_months,
    help="Bills whose period begins in this month.",
)
@click.option("--all", "everything", is_flag=True, help="All open bills.")
@click.option("--yes", is_flag=True, help="Pay without a prompt.")
@click.option(
    "--resume",
    is_flag=True,
    help="Only get the outcome of pending payments. One that did not arrive is made now, "
    "or not at all if you asked for it more than 90 minutes ago.",
)
@click.option("--forget", is_flag=True, help="Discard pending payments without their outcome.")
@with_context
def pay(
    context: CommandContext,
    apartment: str | None,
    bills: tuple[str, ...],
    utilities: tuple[str, ...],
    providers: tuple[str, ...],
    periods: tuple[str, ...],
    everything: bool,
    yes: bool,
    resume: bool,
    forget: bool,
) -> None:
    """Pay the selected bills, all of them or none.

    The bills and their total are shown before you confirm. If the total changes meanwhile,
    nothing is paid. An option that you repeat matches any of its values; different options must
    all match.

    A payment whose outcome was not shown stays pending on this machine. The next `billing pay`
    gets its outcome first, so the same command can be run again. It never pays twice. A payment
    that did not arrive within 90 minutes is not made any more.

    \b
    Examples:
      billing pay --all
      billing pay --utility gas --utility water --period 2026-10
      billing pay --bill 5d1c0a7e --yes
      billing pay --resume
    """
    selection = Selection(bills, utilities, providers, periods)
    _check_usage(selection, everything=everything, alone=resume or forget)
    if forget:
        return _forget(context)
    outcome = Outcome()
    try:
        _resume_all(context, outcome)
        if resume:
            return _finish_resume(context, outcome)
        apartment_id = context.apartment(apartment)
        selected = _selected(context, apartment_id, selection, outcome)
        if selected:
            _pay_selected(context, apartment_id, selected, outcome, yes=yes)
    except (BillingError, click.UsageError):
        # What became of earlier payments is told, whatever goes wrong with this one.
        if context.terminal.as_json and outcome.resumed:
            context.terminal.answer(outcome.as_json())
        raise
    return _finish(context, outcome)


def _check_usage(selection: Selection, *, everything: bool, alone: bool) -> None:
    if alone and (selection.restricts or everything):
        raise click.UsageError("--resume and --forget can't be combined with selected bills.")
    if not alone and not selection.restricts and not everything:
        raise click.UsageError(
            "Select bills with --bill, --utility, --provider or --period, or use --all."
        )


def _selected(
    context: CommandContext, apartment_id: str, selection: Selection, outcome: Outcome
) -> list[Debt]:
    """Return the bills to pay. What a resumed payment has paid was selected, but is paid."""
    with context.terminal.waiting("Fetching the debts"):
        found = context.client.debts(apartment_id)
    debts = found.debts
    _reject_former_residents(selection, found.former_residents_debts)
    owed = {debt.bill_id for debt in debts}
    receipts = [one for path, one in outcome.resumed_receipts if apartment_id in path]
    paid = [line for one in receipts for line in one.lines if line.bill_id not in owed]
    matching = selection.among([*paid, *debts])
    selected = [debt for debt in debts if debt in matching]
    if not selected and matching and selection.restricts:
        outcome.receipt = next(one for one in receipts if set(one.lines) & set(matching))
        return []
    if not selected and selection.restricts:
        raise SelectionError("no_matching_bill", "No open bill matches these options.")
    if not selected:
        context.terminal.say("Nothing is owed.", style="green")
    if len(selected) > MAX_BILLS:
        message = f"A payment can have at most {MAX_BILLS:,} bills. Select fewer."
        raise SelectionError("too_many_bills", message)
    return selected


def _reject_former_residents(selection: Selection, debts: Sequence[Debt]) -> None:
    """Say of a selected bill why it can't be paid here, rather than that there is none."""
    for start in selection.bills:
        if any(debt.bill_id.startswith(start.lower()) for debt in debts):
            message = f"{start!r} is the bill of somebody who lived there before."
            raise SelectionError("bill_of_former_resident", message)


def _pay_selected(
    context: CommandContext,
    apartment_id: str,
    selected: Sequence[Debt],
    outcome: Outcome,
    *,
    yes: bool,
) -> None:
    total = _one_total(selected)
    show_bills(context.terminal, selected)
    context.terminal.say(f"Total: {total} for {count_text(len(selected), 'bill')}.", style="bold")
    if not yes and not _confirmed(context, outcome):
        outcome.cancelled = True
        return
    with context.terminal.waiting(f"Paying {total}"):
        outcome.receipt = context.client.pay(
            apartment_id,
            [debt.bill_id for debt in selected],
            expected_total_minor=total.minor,
        )


def _confirmed(context: CommandContext, outcome: Outcome) -> bool:
    try:
        return click.confirm("Pay now?", err=context.terminal.as_json)
    except click.Abort:
        if sys.stdin.isatty():
            raise
    changed = "nothing else was paid" if outcome.resumed else "nothing was changed"
    raise click.UsageError(f"Confirmation required; {changed}. Use --yes to skip the prompt.")


def _one_total(selected: Sequence[Debt]) -> Money:
    sums = totals(debt.amount for debt in selected)
    if len(sums) > 1:
        listed = " and ".join(map(str, sums))
        raise SelectionError("currency_mixed", f"The bills are in several currencies: {listed}.")
    return sums[0]


def _finish(context: CommandContext, outcome: Outcome) -> None:
    if context.terminal.as_json:
        context.terminal.answer(outcome.as_json())
    elif outcome.receipt in [receipt for _, receipt in outcome.resumed_receipts]:
        context.terminal.say("The earlier payment paid these bills. Nothing else is to be paid.")
    elif outcome.receipt is not None:
        context.terminal.say("Paid.", style="bold green")
        show_receipt(context.terminal, outcome.receipt)
    if outcome.cancelled:
        context.terminal.say("Nothing else was paid." if outcome.resumed else "Nothing was paid.")
        sys.exit(exit_codes.CANCELLED)


def _resume_all(context: CommandContext, outcome: Outcome) -> None:
    """Get the outcome of each pending payment; raises the first that stays open."""
    for path in context.pending.unreadable():
        context.terminal.warn(
            f"The pending payment in {path} can't be read. `billing history` shows whether it was "
            "made, `billing pay --forget` removes the file."
        )
    still_open: BillingError | None = None
    for pending in context.pending.all():
        try:
            outcome.resumed.append(_resume(context, pending, outcome))
        except BillingError as error:
            still_open = still_open or error
    if still_open:
        raise still_open


def _resume(context: CommandContext, pending: PendingRequest, outcome: Outcome) -> Json:
    result: Json = {
        "idempotency_key": pending.idempotency_key,
        "receipt": None,
        "rejected": None,
    }
    context.terminal.warn("There is a pending payment. Getting its outcome.")
    try:
        with context.terminal.waiting("Getting the outcome of the pending payment"):
            receipt = context.client.resume_payment(pending)
    except RequestRejected as rejected:
        if rejected.pending:
            raise
        told = f"The pending payment was not made: {rejected.message}"
        context.terminal.warn(f"{told} {exit_codes.ADVICE.get(rejected.code, '')}".rstrip())
        return {**result, "rejected": {"code": rejected.code, "message": rejected.message}}
    outcome.resumed_receipts.append((pending.path, receipt))
    if not context.terminal.as_json:
        context.terminal.say("The pending payment was made.", style="bold green")
        show_receipt(context.terminal, receipt)
    return {**result, "receipt": encode_receipt(receipt)}


def _finish_resume(context: CommandContext, outcome: Outcome) -> None:
    if context.terminal.as_json:
        context.terminal.answer(outcome.as_json())
    elif not outcome.resumed:
        context.terminal.say("No pending payments.")
    if any(item["rejected"] for item in outcome.resumed):
        sys.exit(exit_codes.REJECTED)


def _forget(context: CommandContext) -> None:
    store = context.pending
    pending, unreadable = store.all(), store.unreadable()
    for payment in pending:
        store.forget(payment)
    for path in unreadable:
        path.unlink(missing_ok=True)
    if context.terminal.as_json:
        return context.terminal.answer({"forgotten": [item.idempotency_key for item in pending]})
    count = count_text(len(pending) + len(unreadable), "pending payment")
    return context.terminal.say(f"{count} discarded. `billing history` shows what was paid.")

"""``billing pay``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from billing_client.answers import Debt, Receipt
from billing_client.cli import failures
from billing_client.cli.bills import Choice, show_bills
from billing_client.cli.desk import Desk, apartment_option, with_desk
from billing_client.cli.receipts import KeptReceipt, receipt_json, show_receipt
from billing_client.cli.words import count_text
from billing_client.encoding import Json
from billing_client.errors import RequestRejected
from billing_client.money import Money, totals
from billing_client.pending import PendingRequest, key_of

MOST_BILLS = 1000


@dataclass
class Outcomes:
    """What one run of the command brought about."""

    resumed: list[Json] = field(default_factory=list)
    receipt: Receipt | None = None
    declined: bool = False

    def as_json(self) -> Json:
        receipt = None if self.receipt is None else receipt_json(KeptReceipt(self.receipt))
        return {"receipt": receipt, "declined": self.declined, "resumed": self.resumed}


def _months(_: click.Context, __: click.Parameter, periods: tuple[str, ...]) -> tuple[str, ...]:
    for period in periods:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
            raise click.BadParameter(f"{period!r} is no month; write it as 2026-10.")
    return periods


@click.command()
@apartment_option
@click.option("--bill", "bills", multiple=True, metavar="ID", help="A bill's id, or its start.")
@click.option("--utility", "utilities", multiple=True, help="Bills of this utility, as gas.")
@click.option("--provider", "providers", multiple=True, help="Bills of this provider: name or id.")
@click.option(
    "--period",
    "periods",
    multiple=True,
    metavar="YYYY-MM",
    callback=_months,
    help="Bills whose period begins in this month.",
)
@click.option("--all", "everything", is_flag=True, help="All that is owed.")
@click.option("--yes", is_flag=True, help="Pay without asking.")
@click.option("--resume", is_flag=True, help="Only fetch the outcome of an earlier payment.")
@click.option(
    "--forget", is_flag=True, help="Give up on the outcome of an earlier payment (see history)."
)
@with_desk
def pay(
    desk: Desk,
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
    """Pay bills, all that are chosen or none.

    An option given twice takes either; different options must all fit. The bills and their
    total are shown before you are asked. If a total changes meanwhile, nothing is paid.

    A payment whose outcome did not arrive is kept, and this command fetches its outcome before
    it does anything else. That never pays twice.

    \b
    Examples:
      billing pay --all
      billing pay --utility gas --utility water --period 2026-10
      billing pay --bill 5d1c0a7e --yes
      billing pay --resume
    """
    choice = Choice(bills, utilities, providers, periods)
    _check_usage(choice, everything=everything, alone=resume or forget)
    outcomes = Outcomes()
    if forget:
        return _forget(desk)
    _resume_all(desk, outcomes)
    if resume:
        return _end_resume(desk, outcomes)
    apartment_id = desk.apartment(apartment)
    chosen = _chosen(desk, apartment_id, choice)
    if chosen:
        _pay_chosen(desk, apartment_id, chosen, outcomes, yes=yes)
    return _end(desk, outcomes)


def _check_usage(choice: Choice, *, everything: bool, alone: bool) -> None:
    if alone and (choice.restricts or everything):
        raise click.UsageError("--resume and --forget go without a choice of bills.")
    if not alone and not choice.restricts and not everything:
        raise click.UsageError(
            "Say what to pay: --bill, --utility, --provider or --period, or --all."
        )


def _chosen(desk: Desk, apartment_id: str, choice: Choice) -> list[Debt]:
    with desk.terminal.waiting("Fetching the debts"):
        owed = desk.client.debts(apartment_id).debts
    chosen = choice.among(owed)
    if not chosen and choice.restricts:
        raise RequestRejected("no_bill_fits", "No open bill fits that choice.")
    if not chosen:
        desk.terminal.say("Nothing is owed.", style="green")
    if len(chosen) > MOST_BILLS:
        raise RequestRejected(
            "too_many_bills", f"A payment takes {MOST_BILLS} bills at the most; choose fewer."
        )
    return chosen


def _pay_chosen(
    desk: Desk, apartment_id: str, chosen: Sequence[Debt], outcomes: Outcomes, *, yes: bool
) -> None:
    total = _one_total(chosen)
    show_bills(desk.terminal, chosen)
    bills = count_text(len(chosen), "bill")
    desk.terminal.say(f"To pay: {total} for {bills}.", style="bold")
    if not yes and not click.confirm("Pay now?", err=desk.terminal.as_json):
        outcomes.declined = True
        return
    with _sending(desk, f"Paying {total}"):
        outcomes.receipt = desk.client.pay(
            apartment_id,
            [debt.bill_id for debt in chosen],
            expected_total_minor=total.minor,
        )


@contextmanager
def _sending(desk: Desk, what: str) -> Iterator[None]:
    """Wait for a payment; whoever breaks off learns how to come back to it."""
    try:
        with desk.terminal.waiting(what):
            yield
    except KeyboardInterrupt:
        desk.terminal.warn(failures.RESUME)
        raise


def _one_total(chosen: Sequence[Debt]) -> Money:
    sums = totals(debt.amount for debt in chosen)
    if len(sums) > 1:
        listed = " and ".join(map(str, sums))
        raise RequestRejected("currency_mixed", f"The bills are in several currencies: {listed}.")
    return sums[0]


def _end(desk: Desk, outcomes: Outcomes) -> None:
    if desk.terminal.as_json:
        desk.terminal.answer(outcomes.as_json())
    elif outcomes.receipt is not None:
        desk.terminal.say("Paid.", style="bold green")
        show_receipt(desk.terminal, KeptReceipt(outcomes.receipt))
    if outcomes.declined:
        desk.terminal.say("Nothing was paid.")
        sys.exit(failures.DECLINED)


def _resume_all(desk: Desk, outcomes: Outcomes) -> None:
    for pending in desk.resident_files.pending_payments.all():
        outcomes.resumed.append(_resume(desk, pending))


def _resume(desk: Desk, pending: PendingRequest) -> Json:
    key = key_of(pending)
    desk.terminal.warn("An earlier payment has no outcome yet. Fetching it.")
    try:
        with _sending(desk, "Fetching the outcome of the earlier payment"):
            kept = KeptReceipt(desk.client.resume_payment(pending))
    except RequestRejected as rejected:
        desk.terminal.warn(f"The earlier payment was not made: {rejected.message}")
        rejection = {"code": rejected.code, "message": rejected.message}
        return {"idempotency_key": key, "receipt": None, "rejected": rejection}
    if not desk.terminal.as_json:
        desk.terminal.say("The earlier payment was made.", style="bold green")
        show_receipt(desk.terminal, kept)
    return {"idempotency_key": key, "receipt": receipt_json(kept), "rejected": None}


def _end_resume(desk: Desk, outcomes: Outcomes) -> None:
    if desk.terminal.as_json:
        desk.terminal.answer(outcomes.as_json())
    elif not outcomes.resumed:
        desk.terminal.say("No payment waits for its outcome.")
    if any(item["rejected"] for item in outcomes.resumed):
        sys.exit(failures.REJECTED)


def _forget(desk: Desk) -> None:
    kept = desk.resident_files.pending_payments
    keys = [key_of(pending) for pending in kept.all()]
    for key in keys:
        kept.forget(key)
    if desk.terminal.as_json:
        return desk.terminal.answer({"forgotten": keys})
    told = count_text(len(keys), "payment")
    return desk.terminal.say(f"{told} forgotten. `billing history` shows what was paid.")

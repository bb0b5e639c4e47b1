"""I1, I2, I3, I8: what the books themselves must show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tools.chaos.judge.case import Case
from tools.chaos.judge.history import Read
from tools.chaos.judge.verdict import Facts, Finding

Row = Mapping[str, Any]


def bill_paid_once(case: Case) -> Facts:
    """I1: a bill has at most one live payment line, and is settled by that and nothing else."""
    for bill_id in case.books.bills:
        live = _live_payments(case, bill_id)
        settled = case.books.settled.get(bill_id)
        about = frozenset({bill_id, *live})
        if len(live) > 1:
            yield Finding(f"bill {bill_id} is paid by {len(live)} payments: {live}", about=about)
        elif live != ([settled] if settled else []):
            text = f"bill {bill_id} counts as settled by {settled}, its live payments are {live}"
            yield Finding(text, about=about)
        else:
            yield None


def _live_payments(case: Case, bill_id: str) -> list[str]:
    lines = case.books.lines_of_bill.get(bill_id, [])
    return sorted({str(n["payment_id"]) for n in lines} - set(case.books.reversals))


def payment_adds_up(case: Case) -> Facts:
    """I2: a payment's total is the sum of its lines, in one currency; so in receipts."""
    for payment_id, payment in case.books.payments.items():
        lines = case.books.lines.get(payment_id, [])
        yield _sum_trouble(f"payment {payment_id}", payment, lines, about=payment_id)
        yield _lines_trouble(case, payment, lines)
    for receipt in case.history.receipts:
        data = receipt.data
        found = _sum_trouble(f"receipt {data['receipt_number']}", data, data["lines"])
        told = receipt.first.request_id, receipt.events
        yield None if found is None else Finding(found.text, *told)


def _sum_trouble(
    what: str, whole: Row, lines: Sequence[Row], *, about: str | None = None
) -> Finding | None:
    total = sum(int(line["amount_minor"]) for line in lines)
    currencies = {line.get("currency", whole["currency"]) for line in lines}
    if lines and total == whole["total_minor"] and currencies == {whole["currency"]}:
        return None
    text = f"{what} says {whole['total_minor']} {whole['currency']}, its lines {total} {currencies}"
    return Finding(text, about=frozenset({about} if about else ()))


def _lines_trouble(case: Case, payment: Row, lines: Sequence[Row]) -> Finding | None:
    """Say which line differs from its bill."""
    for line in lines:
        bill = case.books.bills.get(line["bill_id"], {})
        if any(line[name] != bill.get(name) for name in ("amount_minor", "currency")):
            text = f"payment {payment['payment_id']} pays bill {line['bill_id']} not as billed"
            return Finding(text, about=frozenset({payment["payment_id"], line["bill_id"]}))
    return None


def bill_open_or_paid(case: Case) -> Facts:
    """I3: a bill is open, settled, or withdrawn, and one of these; reads show all that is open."""
    for bill_id in case.books.bills:
        states = " and ".join(_states(case, bill_id))
        if states in ("open", "paid", "withdrawn"):
            yield None
        else:
            text = f"bill {bill_id} is {states or 'neither open nor paid nor withdrawn'}"
            yield Finding(text, about=frozenset({bill_id}))
    for read in case.history.debts:
        yield from _debts_are_whole(case, read)


def _states(case: Case, bill_id: str) -> list[str]:
    books = case.books
    # A withdrawn bill may be replaced by a later revision: it is gone either way.
    gone = bill_id in books.void or bill_id in books.replaced
    states = {"open": bill_id in books.open, "paid": bill_id in books.settled, "withdrawn": gone}
    return [name for name, holds in states.items() if holds]


def _debts_are_whole(case: Case, read: Read) -> Facts:
    """Bills that were open from before a read to the end are in it, and it adds up."""
    shown = {debt["bill_id"] for debt in read.debts}
    for bill_id in sorted(_open_all_along(case, read) - shown):
        yield Finding(
            f"debts lack bill {bill_id}, which was issued before and never paid nor withdrawn",
            read.request.request_id,
            read.events,
            frozenset({bill_id}),
        )
    data = read.parts[0].data
    total = sum(debt["amount_minor"] for debt in read.debts)
    if data["total_minor"] is not None and total != data["total_minor"]:
        text = f"debts add up to {total} and say {data['total_minor']}"
        yield Finding(text, read.request.request_id, read.events)
    else:
        yield None


def _open_all_along(case: Case, read: Read) -> set[str]:
    return {
        bill_id
        for known_at, bill_id in case.never_paid.get(read.request.apartment, [])
        if known_at < read.request.t
    }


def history_without_gap(case: Case) -> Facts:
    """I8: positions 1, 2, 3, ..., instants that grow, a head that agrees, a version in step."""
    for apartment, state in case.books.state.items():
        events = case.books.history.get(apartment, [])
        about = frozenset({apartment})
        troubles = [*_order_troubles(events), *_head_troubles(state, events)]
        if apartment in case.homes:
            troubles += _version_troubles(case, apartment, state)
        if not troubles:
            yield None
        for trouble in troubles:
            yield Finding(f"apartment {apartment}: {trouble}", about=about)


def _order_troubles(events: Sequence[Row]) -> list[str]:
    troubles = []
    for position, event in enumerate(events, start=1):
        if event["seq"] != position:
            troubles.append(f"event {event['seq']} stands where {position} should")
            break
    for before, after in pairwise(events):
        if before["posted_at"] >= after["posted_at"]:
            troubles.append(f"event {after['seq']} was not posted after the one before it")
    return troubles


def _head_troubles(state: Row, events: Sequence[Row]) -> list[str]:
    head = (events[-1]["seq"], events[-1]["posted_at"]) if events else (0, None)
    said = (state["last_seq"], state["last_posted_at"])
    return [] if head == said else [f"its history ends with {head}, its state says {said}"]


def _version_troubles(case: Case, apartment: str, state: Row) -> list[str]:
    """Compare the version with the changes; each raises it by one, and nothing else does."""
    expected = 1 + _changes(case, apartment)
    if state["version"] == expected:
        return []
    return [f"version is {state['version']} after {expected - 1} changes"]


def _changes(case: Case, apartment: str) -> int:
    books = case.books
    here = [row for row in books.bills.values() if row["apartment_id"] == apartment]
    payments = {k for k, row in books.payments.items() if row["apartment_id"] == apartment}
    stays = [row for row in books.rows("residencies") if row["apartment_id"] == apartment]
    return (
        len({row["import_id"] for row in here})
        + sum(row["bill_id"] in books.void for row in here)
        + len(payments)
        + len(payments & set(books.reversals))
        + len(stays)
        + sum(row["ended_at"] is not None for row in stays)
    )

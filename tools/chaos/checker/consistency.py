"""I1, I2, I3, I8: what the ledger itself must show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from tools.chaos.checker.history import Read, Row
from tools.chaos.checker.result import Facts, Finding, finding
from tools.chaos.checker.run_record import Ledger, RunRecord


def bill_paid_once(run: RunRecord) -> Facts:
    """I1: a bill has at most one live payment line, and is settled by that and nothing else."""
    for bill_id in run.ledger.bills:
        lines = run.ledger.lines_of_bill.get(bill_id, [])
        live = sorted({str(line["payment_id"]) for line in lines} - run.ledger.reversed)
        settled = run.ledger.settled.get(bill_id)
        trouble = None
        if len(live) > 1:
            trouble = f"bill {bill_id} is paid by {len(live)} payments: {live}"
        elif live != ([settled] if settled else []):
            trouble = f"bill {bill_id} counts as settled by {settled}, its live payments are {live}"
        yield finding(trouble, None, bill_id, *live)


def payment_adds_up(run: RunRecord) -> Facts:
    """I2: a payment's total is the sum of its lines, in one currency; so in receipts."""
    for payment_id, payment in run.ledger.payments.items():
        lines = run.ledger.lines.get(payment_id, [])
        yield finding(_sum_trouble(f"payment {payment_id}", payment, lines), None, payment_id)
        yield _differs_from_bill(run.ledger, payment_id, lines)
    for receipt in run.history.receipts:
        data = receipt.first.data
        name = f"receipt {data['receipt_number']}"
        yield finding(_sum_trouble(name, data, receipt.rows("lines")), receipt)


def _sum_trouble(name: str, whole: Row, lines: Sequence[Row]) -> str | None:
    total = sum(int(line["amount_minor"]) for line in lines)
    currencies = {line.get("currency", whole["currency"]) for line in lines}
    if lines and total == whole["total_minor"] and currencies == {whole["currency"]}:
        return None
    return f"{name} says {whole['total_minor']} {whole['currency']}, its lines {total} {currencies}"


def _differs_from_bill(ledger: Ledger, payment_id: str, lines: Sequence[Row]) -> Finding | None:
    for line in lines:
        bill = ledger.bills.get(line["bill_id"], {})
        if any(line[name] != bill.get(name) for name in ("amount_minor", "currency")):
            text = f"payment {payment_id} pays bill {line['bill_id']} not as billed"
            return finding(text, None, payment_id, line["bill_id"])
    return None


def bill_open_or_paid(run: RunRecord) -> Facts:
    """I3: a bill is open, paid, or withdrawn, and one of these; reads show all that is open."""
    ledger = run.ledger
    sets = {"open": ledger.open, "paid": set(ledger.settled), "withdrawn": ledger.gone}
    for bill_id in ledger.bills:
        states = [name for name, bills in sets.items() if bill_id in bills]
        text = f"bill {bill_id} is {' and '.join(states) or 'neither open nor paid nor withdrawn'}"
        yield finding(None if len(states) == 1 else text, None, bill_id)
    for read in run.history.debts:
        yield from _debts_are_whole(run, read)


def _debts_are_whole(run: RunRecord, read: Read) -> Facts:
    """Bills that were open from before a read to the end are in it, and it adds up."""
    debts = read.rows("debts")
    shown = {debt["bill_id"] for debt in debts}
    for known_at, bill_id in run.never_paid.get(read.request.apartment, []):
        if known_at < read.request.t and bill_id not in shown:
            text = f"debts lack bill {bill_id}, issued before and never paid nor withdrawn"
            yield finding(text, read, bill_id)
    total, said = sum(debt["amount_minor"] for debt in debts), read.first.data["total_minor"]
    yield finding(
        None if said in (None, total) else f"debts add up to {total} and say {said}", read
    )


def history_without_gap(run: RunRecord) -> Facts:
    """I8: positions 1, 2, 3, ..., instants that grow, a head that agrees, a version in step."""
    recorded = {event["args"]["apartment"] for event in run.history.operators("add_apartment")}
    for apartment, state in run.ledger.state.items():
        events = run.ledger.history.get(apartment, [])
        troubles = [*_order_troubles(events), *_head_troubles(state, events)]
        changes = _changes(run.ledger, apartment)
        # Each change raises the version by one, and nothing else does.
        if apartment in recorded and state["version"] != 1 + changes:
            troubles.append(f"version is {state['version']} after {changes} changes")
        if not troubles:
            yield None
        for trouble in troubles:
            yield finding(f"apartment {apartment}: {trouble}", None, apartment)


def _order_troubles(events: Sequence[Row]) -> Iterator[str]:
    for position, event in enumerate(events, start=1):
        if event["seq"] != position:
            yield f"event {event['seq']} stands where {position} should"
            break
    for before, after in pairwise(events):
        if before["posted_at"] >= after["posted_at"]:
            yield f"event {after['seq']} was not posted after the one before it"


def _head_troubles(state: Row, events: Sequence[Row]) -> Iterator[str]:
    head = (events[-1]["seq"], events[-1]["posted_at"]) if events else (0, None)
    said = (state["last_seq"], state["last_posted_at"])
    if head != said:
        yield f"its history ends with {head}, its state says {said}"


def _changes(ledger: Ledger, apartment: str) -> int:
    bills = [row for row in ledger.bills.values() if row["apartment_id"] == apartment]
    payments = {k for k, row in ledger.payments.items() if row["apartment_id"] == apartment}
    stays = [row for row in ledger.rows("residencies") if row["apartment_id"] == apartment]
    return (
        len({row["import_id"] for row in bills})
        + sum(row["bill_id"] in ledger.void for row in bills)
        + sum(row["bill_id"] in ledger.reinstated for row in bills)
        + len(payments)
        + len(payments & ledger.reversed)
        + len(stays)
        + sum(row["ended_at"] is not None for row in stays)
    )

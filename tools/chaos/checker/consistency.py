"""I1, I2, I3, I8: what the ledger itself must show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tools.chaos.checker import rebuilt
from tools.chaos.checker.history import issued_lines
from tools.chaos.checker.ledger import Row
from tools.chaos.checker.reads import debts_are_right
from tools.chaos.checker.result import Facts, finding
from tools.chaos.checker.run_record import RunRecord


def bill_paid_once(run: RunRecord) -> Facts:
    """I1: a bill has at most one live payment line, and is settled by that and nothing else."""
    for bill_id in run.ledger.bills:
        lines = run.ledger.lines_of_bill.get(bill_id, [])
        live = sorted({str(line["payment_id"]) for line in lines} - run.ledger.reversed.keys())
        settled = run.ledger.settled.get(bill_id)
        trouble = None
        if len(live) > 1:
            trouble = f"bill {bill_id} is paid by {len(live)} payments: {live}"
        elif live != ([settled] if settled else []):
            trouble = f"bill {bill_id} counts as settled by {settled}, its live payments are {live}"
        yield finding(trouble, None, bill_id, *live)


def payment_adds_up(run: RunRecord) -> Facts:
    """I2: a payment's total is the sum of its lines, in one currency, each as billed."""
    money = ("amount_minor", "currency")
    for payment_id, payment in run.ledger.payments.items():
        lines = run.ledger.lines.get(payment_id, [])
        total = (
            sum(int(line["amount_minor"]) for line in lines),
            *{one["currency"] for one in lines},
        )
        said = payment["total_minor"], payment["currency"]
        text = f"payment {payment_id} says {said}, its lines {total}"
        yield finding(text if total != said else None, None, payment_id)
        for line in lines:
            bill = run.ledger.bills.get(line["bill_id"], {})
            is_as_billed = all(line[name] == bill.get(name) for name in money)
            text = f"payment {payment_id} pays bill {line['bill_id']} not as billed"
            yield finding(None if is_as_billed else text, None, payment_id, line["bill_id"])


def bill_open_or_paid(run: RunRecord) -> Facts:
    """I3: a bill is open, paid, or withdrawn, and one of these; reads show all that is open."""
    ledger = run.ledger
    sets = {"open": ledger.open, "paid": set(ledger.settled), "withdrawn": ledger.gone}
    for bill_id in ledger.bills:
        states = [name for name, bills in sets.items() if bill_id in bills]
        text = f"bill {bill_id} is {' and '.join(states) or 'neither open nor paid nor withdrawn'}"
        yield finding(None if len(states) == 1 else text, None, bill_id)
    for import_id, calls in run.history.imports.items():
        for line, result in issued_lines(calls):
            if result["result"] in ("issued", "revised"):
                bill = ledger.bills.get(result["bill_id"], {"import_id": None})
                asked = {**line, "import_id": import_id}
                other = [name for name in asked.keys() & bill.keys() if asked[name] != bill[name]]
                text = f"bill {result['bill_id']} is not as it was issued: {', '.join(other)}"
                yield finding(text if other else None, None, str(result["bill_id"]))
    yield from debts_are_right(run)


def history_without_gap(run: RunRecord) -> Facts:
    """I8: an event for each line and reversal, in order, a head that agrees, a version in step."""
    recorded = {event["args"]["apartment"] for event in run.history.operators("add_apartment")}
    for apartment, state in run.ledger.state.items():
        troubles = [*_history_troubles(run, apartment), *_head_troubles(run, apartment, state)]
        changes = len(run.changes.of[apartment])
        # Each change raises the version by one, and nothing else does.
        if apartment in recorded and state["version"] != 1 + changes:
            troubles.append(f"version is {state['version']} after {changes} changes")
        if not troubles:
            yield None
        for trouble in troubles:
            yield finding(f"apartment {apartment}: {trouble}", None, apartment)
    for row in run.final.get("violations", []):
        yield finding(f"the ledger contradicts itself: {row['rule']} {row['subject']}")


def _history_troubles(run: RunRecord, apartment: str) -> Iterator[str]:
    """Compare the history with payments, their lines and reversals."""
    events = run.changes.history(apartment)
    expected = {
        (number, event["posted_at"], *rebuilt.identity(event))
        for number, event in enumerate(events, start=1)
    }
    for change in run.changes.posted(apartment):
        at = change.events[0]["posted_at"]
        if not run.history.may_be_at(at, change.begins, change.known):
            yield f"a {change.kind} was posted at {at}, which was another time"
    rows = run.ledger.history.get(apartment, [])
    found = {(row["seq"], row["posted_at"], *rebuilt.identity(row)) for row in rows}
    for place, said in (("is missing", expected - found), ("is not of a line", found - expected)):
        for event in sorted(said)[:3]:
            yield f"event {event} {place}"
    for before, after in pairwise(events):
        if before["posted_at"] >= after["posted_at"]:
            yield f"event of {after['payment_id']} was not posted after the one before it"


def _head_troubles(run: RunRecord, apartment: str, state: Row) -> Iterator[str]:
    events = run.changes.history(apartment)
    head = (len(events), events[-1]["posted_at"] if events else None)
    said = (state["last_seq"], state["last_posted_at"])
    if head != said:
        yield f"its history ends with {head}, its state says {said}"

"""The invariants as they can be seen at the end of one story, by their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.matrix.bench import PREFIX
from tests.matrix.story import Order, Story
from tests.support.ledger import Home, query

Json = dict[str, Any]

RESIDENT = "Sojourner Truth-Canary"


@dataclass(frozen=True)
class End:
    """A story that is over. `paid` and `open`: what the books must say of the bills."""

    story: Story
    order: Order
    home: Home
    answers: list[Json]
    paid: set[str]
    open: set[str]
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the books as their owner."""
        return query(self.story.ledger.connection("owner"), statement, *parameters)


def _bill_paid_once(end: End) -> None:
    lines = """
        SELECT l.bill_id::text FROM billing.payment_lines l
        LEFT JOIN billing.reversals r USING (payment_id)
        WHERE l.apartment_id = %s AND r.payment_id IS NULL
    """
    assert sorted(bill for (bill,) in end.rows(lines, end.home.apartment)) == sorted(end.paid)


def _payment_adds_up(end: End) -> None:
    payments = """
        SELECT p.total_minor, sum(l.amount_minor), count(DISTINCT l.currency)
        FROM billing.payments p JOIN billing.payment_lines l USING (payment_id)
        WHERE p.apartment_id = %s GROUP BY p.payment_id
    """
    for total, of_lines, currencies in end.rows(payments, end.home.apartment):
        assert (total, currencies) == (of_lines, 1)


def _bill_open_or_paid(end: End) -> None:
    states = "SELECT bill_id::text, state FROM billing.bill_states WHERE apartment_id = %s"
    settled = dict.fromkeys(end.paid, "settled")
    assert dict(end.rows(states, end.home.apartment)) == settled | dict.fromkeys(end.open, "open")
    assert end.story.ledger.violations() == []


def _paid_is_durable(end: End) -> None:
    receipts = {
        event["bill_id"]: (event["payment_id"], event["receipt_number"])
        for event in end.story.ledger.history(end.home)["events"]
    }
    for data in (answer["data"] for answer in end.answers if answer["status"] == "done"):
        for line in data["lines"]:
            receipt = data["payment_id"], data["receipt_number"]
            assert receipts[line["bill_id"]] == receipt


def _request_answered(end: End) -> None:
    assert end.answers
    assert {answer["status"] for answer in end.answers} == {"done"}
    if end.order.operation != "auth":
        assert {_lasting(answer) for answer in end.answers} == {_lasting(end.answers[0])}
        assert end.story.count(f"{PREFIX}-{end.order.operation}-dlq") == 0


def _lasting(answer: Json) -> str:
    """Write an answer without the moment at which debts were looked at."""
    data = {name: value for name, value in answer["data"].items() if name != "as_of"}
    return json.dumps({**answer, "data": data}, sort_keys=True)


def _paid_was_never_rejected(end: End) -> None:
    assert not [answer for answer in end.answers if answer["status"] != "done"]


def _private(end: End) -> None:
    own = f"{PREFIX}-r-{end.home.subject.hex}-{end.order.queue.hex}"
    assert set(end.story.reply_queues(end.order)) == {own}


def _history_without_gap(end: End) -> None:
    history = end.story.ledger.history(end.home)
    events = history["events"]
    instants = [event["posted_at"] for event in events]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert instants == sorted(set(instants))
    assert history["last_seq"] == len(events)


def _paid_is_no_debt(end: End) -> None:
    assert end.story.ledger.open_bills(end.home) == end.open
    for data in (answer["data"] for answer in end.answers):
        if "debts" in data:
            assert {debt["bill_id"] for debt in data["debts"]} == end.open
        if "settled_debts" in data:
            assert {event["bill_id"] for event in data["settled_debts"]} == end.paid


def _nothing_personal_in_logs(end: End) -> None:
    log = end.story.bench.log.read_text("utf-8")
    personal = (RESIDENT, *end.secrets, *end.story.bench.passwords.values())
    assert [word for word in personal if word in log] == []
    assert [one for one in end.story.deliveries.receipts.values() if one in log] == []


TRUTHS: Mapping[str, Callable[[End], None]] = {
    "bill_paid_once": _bill_paid_once,
    "payment_adds_up": _payment_adds_up,
    "bill_open_or_paid": _bill_open_or_paid,
    "paid_is_durable": _paid_is_durable,
    "request_answered": _request_answered,
    "paid_was_never_rejected": _paid_was_never_rejected,
    "private": _private,
    "history_without_gap": _history_without_gap,
    "paid_is_no_debt": _paid_is_no_debt,
    "nothing_personal_in_logs": _nothing_personal_in_logs,
}

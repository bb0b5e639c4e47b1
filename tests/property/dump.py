"""The whole ledger of some apartments, as rows: from the tables, past all functions."""

from __future__ import annotations

from typing import Any

from tests.property.oracle import Oracle
from tests.support.databases import LedgerDatabase
from tests.support.ledger import query

Dump = dict[str, list[tuple[Any, ...]]]

_TABLES = {
    "bills": """
        SELECT b.bill_id::text, b.provider_id, b.provider_reference, b.revision, b.utility,
            b.amount_minor, b.currency, s.state
        FROM billing.bills b JOIN billing.bill_states s USING (bill_id, apartment_id)
        WHERE b.apartment_id = ANY (%s::uuid[])
    """,
    "payments": """
        SELECT p.payment_id::text, i.subject::text, p.receipt_number, p.total_minor, p.currency,
            r.payment_id IS NOT NULL
        FROM billing.payments p JOIN billing.residents i USING (resident_id)
        LEFT JOIN billing.reversals r USING (payment_id)
        WHERE p.apartment_id = ANY (%s::uuid[])
    """,
    "lines": """
        SELECT payment_id::text, bill_id::text, amount_minor
        FROM billing.payment_lines WHERE apartment_id = ANY (%s::uuid[])
    """,
    "history": """
        SELECT apartment_id::text, seq, event, payment_id::text, bill_id::text,
            billing.instant(posted_at)
        FROM billing.history WHERE apartment_id = ANY (%s::uuid[])
    """,
    "state": """
        SELECT apartment_id::text, version, last_seq
        FROM billing.apartment_state WHERE apartment_id = ANY (%s::uuid[])
    """,
    "residencies": """
        SELECT apartment_id::text, r.subject::text, billing.instant(since)
        FROM billing.residencies JOIN billing.residents r USING (resident_id)
        WHERE apartment_id = ANY (%s::uuid[]) AND ended_at IS NULL
    """,
    "requests": """
        SELECT r.subject::text, request_key, rejection ->> 'code'
        FROM billing.payment_requests JOIN billing.residents r USING (resident_id)
        WHERE r.subject = ANY (%s::uuid[])
    """,
}


def dump(database: LedgerDatabase, model: Oracle) -> Dump:
    """Read what the tables hold of the model's apartments and residents."""
    connection = database.connect("owner")
    apartments, residents = list(model.apartments), list(model.residents)
    try:
        return {
            name: sorted(query(connection, sql, residents if name == "requests" else apartments))
            for name, sql in _TABLES.items()
        }
    finally:
        connection.close()


def expected(model: Oracle) -> Dump:
    """Write down what they should hold."""
    rows = {
        "bills": _bills(model),
        "payments": [
            (payment_id, one.who, *_money(one.receipt), one.reversal is not None)
            for payment_id, one in model.payments.items()
        ],
        "lines": [
            (payment_id, line["bill_id"], line["amount_minor"])
            for payment_id, one in model.payments.items()
            for line in one.receipt["lines"]
        ],
        "history": _history(model),
        "state": [(n, one.version, len(one.events)) for n, one in model.apartments.items()],
        "residencies": [
            (name, who, since)
            for name, one in model.apartments.items()
            for who, since in one.since.items()
        ],
        "requests": [(*name, answer.code) for name, (_, answer) in model.answers.items()],
    }
    return {name: sorted(table) for name, table in rows.items()}


def _money(receipt: dict[str, Any]) -> tuple[Any, ...]:
    return receipt["receipt_number"], receipt["total_minor"], receipt["currency"]


def _bills(model: Oracle) -> list[tuple[Any, ...]]:
    return [
        (
            bill.bill_id,
            *name,
            revision,
            bill.line.utility,
            bill.line.amount,
            bill.line.currency,
            "settled" if bill.state == "paid" else bill.state,
        )
        for name, revisions in model.revisions.items()
        for revision, bill in enumerate(revisions, start=1)
    ]


def _history(model: Oracle) -> list[tuple[Any, ...]]:
    names = ("event", "payment_id", "bill_id", "posted_at")
    return [
        (apartment, seq, *(event[name] for name in names))
        for apartment, one in model.apartments.items()
        for seq, event in enumerate(one.events, start=1)
    ]

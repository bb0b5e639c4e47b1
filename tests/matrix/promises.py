"""What the design promises: for each fault at each step, how the request ends.

`paid(receives, answers)`: the payment takes effect once. Workers receive its message so many times,
and the resident finds so many answers, all equal and all "done". `shown` and `logged_in` say the
same of reads and logins. Each kind keeps the invariants of `terraform/invariants.json` that it
names. A step that is missing under a fault is one that the fault can't strike at.

Steps: `received`: a worker has the message. `before_payment`: its statement is on the way to the
books (of a read: its first question to them). `in_commit`: the server has the statement.
`committed`: its answer is on the way back. `replied`: SQS has taken the reply. `before_delete`:
SQS is about to be told to delete the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

PAYMENT_KEEPS = (
    "bill_paid_once",
    "payment_adds_up",
    "bill_open_or_paid",
    "paid_is_durable",
    "request_answered",
    "paid_was_never_rejected",
    "private",
    "history_without_gap",
    "paid_is_no_debt",
    "nothing_personal_in_logs",
)
READ_KEEPS = ("request_answered", "private", "paid_is_no_debt", "nothing_personal_in_logs")
LOGIN_KEEPS = ("request_answered", "nothing_personal_in_logs")


@dataclass(frozen=True, slots=True)
class Promise:
    """How a request ends, and which invariants hold then, by their names."""

    receives: int
    answers: int
    keeps: tuple[str, ...]


def paid(*, receives: int, answers: int) -> Promise:
    """Promise a payment."""
    return Promise(receives, answers, PAYMENT_KEEPS)


def shown(*, receives: int, answers: int) -> Promise:
    """Promise debts or history as they are in the books."""
    return Promise(receives, answers, READ_KEEPS)


def logged_in(*, receives: int, answers: int) -> Promise:
    """Promise a session."""
    return Promise(receives, answers, LOGIN_KEEPS)


Table = dict[str, dict[str, Promise]]

PAYMENTS: Table = {
    # The message comes back. Paid is paid: the successor finds the stored answer.
    "worker_killed": {
        "received": paid(receives=2, answers=1),
        "before_payment": paid(receives=2, answers=1),
        "in_commit": paid(receives=2, answers=1),
        "committed": paid(receives=2, answers=1),
        "replied": paid(receives=2, answers=2),
        "before_delete": paid(receives=2, answers=2),
    },
    # Away for longer than the worker tries: the message comes back when the database does.
    "postgres_stopped": {
        "received": paid(receives=2, answers=1),
        "before_payment": paid(receives=2, answers=1),
        "in_commit": paid(receives=2, answers=1),
        "committed": paid(receives=2, answers=1),
        "replied": paid(receives=1, answers=1),
        "before_delete": paid(receives=1, answers=1),
    },
    # The worker asks again with the same key, without giving the message back.
    "postgres_cut": {
        "received": paid(receives=1, answers=1),
        "before_payment": paid(receives=1, answers=1),
        "in_commit": paid(receives=1, answers=1),
        "committed": paid(receives=1, answers=1),
        "replied": paid(receives=1, answers=1),
        "before_delete": paid(receives=1, answers=1),
    },
    # The function's timeout ends the worker that waits.
    "postgres_frozen": {
        "received": paid(receives=2, answers=1),
        "before_payment": paid(receives=2, answers=1),
        "in_commit": paid(receives=2, answers=1),
        "committed": paid(receives=2, answers=1),
        "replied": paid(receives=1, answers=1),
        "before_delete": paid(receives=1, answers=1),
    },
    # A warm worker fetches the secret anew when the server rejects the old one.
    "secret_rotated": {
        "received": paid(receives=1, answers=1),
        "before_payment": paid(receives=1, answers=1),
        "in_commit": paid(receives=1, answers=1),
        "committed": paid(receives=1, answers=1),
        "replied": paid(receives=1, answers=1),
        "before_delete": paid(receives=1, answers=1),
    },
    # Nobody is told "paid" yet; the message comes back, and the stored answer goes out.
    "sends_failed": {"committed": paid(receives=2, answers=1)},
    # Sent, but the worker can't know: it sends the same answer again.
    "send_ambiguous": {"committed": paid(receives=1, answers=2)},
    "send_cut_off": {"committed": paid(receives=1, answers=2)},
    # The request comes back although it was answered.
    "delete_lost": {
        "received": paid(receives=2, answers=2),
        "replied": paid(receives=2, answers=2),
    },
    # Payments never ask Redis.
    "redis_hung": {"received": paid(receives=1, answers=1)},
}

_REDIS = {
    step: shown(receives=1, answers=1)
    for step in ("received", "before_payment", "in_commit", "committed", "replied")
}

DEBTS: Table = {
    "worker_killed": {
        "received": shown(receives=2, answers=1),
        "before_payment": shown(receives=2, answers=1),
        "in_commit": shown(receives=2, answers=1),
        "committed": shown(receives=2, answers=1),
        "replied": shown(receives=2, answers=2),
        "before_delete": shown(receives=2, answers=2),
    },
    "postgres_stopped": {
        "received": shown(receives=2, answers=1),
        "committed": shown(receives=2, answers=1),
        "replied": shown(receives=1, answers=1),
    },
    "postgres_cut": {
        "before_payment": shown(receives=1, answers=1),
        "in_commit": shown(receives=1, answers=1),
        "committed": shown(receives=1, answers=1),
    },
    "postgres_frozen": {"before_payment": shown(receives=2, answers=1)},
    "secret_rotated": {"received": shown(receives=1, answers=1)},
    "sends_failed": {"committed": shown(receives=2, answers=1)},
    "send_ambiguous": {"committed": shown(receives=1, answers=2)},
    "delete_lost": {"received": shown(receives=2, answers=2)},
    # Whatever Redis does, whenever: the books' version decides what is believed.
    "redis_refused": _REDIS,
    "redis_hung": _REDIS,
    "redis_flushed": _REDIS,
    "redis_old": _REDIS,
    "redis_lying": _REDIS,
    "redis_babbling": _REDIS,
}

# As debts, but for the statement: only what meets that differs.
HISTORY: Table = {
    "worker_killed": {
        "before_payment": shown(receives=2, answers=1),
        "committed": shown(receives=2, answers=1),
        "replied": shown(receives=2, answers=2),
    },
    "postgres_cut": {
        "in_commit": shown(receives=1, answers=1),
        "committed": shown(receives=1, answers=1),
    },
    "redis_hung": {"received": shown(receives=1, answers=1)},
    "redis_old": {"received": shown(receives=1, answers=1)},
    "redis_lying": {"received": shown(receives=1, answers=1)},
}

# A login has no dead-letter queue, and its answer differs each time: tokens are new.
LOGINS: Table = {
    "worker_killed": {
        "received": logged_in(receives=2, answers=1),
        "before_payment": logged_in(receives=2, answers=1),
        "in_commit": logged_in(receives=2, answers=1),
        "committed": logged_in(receives=2, answers=1),
        "replied": logged_in(receives=2, answers=2),
        "before_delete": logged_in(receives=2, answers=2),
    },
    "postgres_stopped": {"before_payment": logged_in(receives=2, answers=1)},
    "postgres_cut": {"in_commit": logged_in(receives=1, answers=1)},
    "sends_failed": {"committed": logged_in(receives=2, answers=1)},
    "delete_lost": {"received": logged_in(receives=2, answers=2)},
}


def cases(table: Table) -> list[Any]:
    """Return the table's cells as parameters of a test: fault, step and what is promised."""
    return [
        pytest.param(fault, step, promise, id=f"{fault}-{step}")
        for fault, row in table.items()
        for step, promise in row.items()
    ]

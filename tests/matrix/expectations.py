"""What the design promises: how a request ends, for each fault at each step.

A cell is `receives/answers`: workers receive the message so many times, and the resident finds so
many answers, all equal and all "done". `-` means that the fault has no effect at that step, or none
of its own. The invariants of `terraform/invariants.json` that a kind of request must keep follow.

Steps: `received`: a worker has the message. `before_payment`: its statement is on the way to the
ledger (of a read or login: its first question to the database). `in_commit`: the server has the
statement. `committed`: its answer is on the way back. `replied`: SQS has taken the reply.
`before_delete`: SQS is about to be told to delete the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tools.chaos.proxies.tcp import STEPS


@dataclass(frozen=True, slots=True)
class Expected:
    """How a request ends."""

    receives: int
    answers: int


Table = dict[str, dict[str, Expected]]


def _table(text: str) -> Table:
    """Read a table: a fault and its cells a line; `#` begins a comment."""
    table: Table = {}
    for line in text.strip().splitlines():
        fault, *cells = line.partition("#")[0].split()
        table[fault] = {
            step: Expected(*map(int, cell.split("/")))
            for step, cell in zip(STEPS, cells, strict=True)
            if cell != "-"
        }
    return table


# I12 takes many reads, and I10 a client that keeps a copy: fault injection checks these two.
_OF_READS = ("I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I11")
INVARIANTS = {
    "payments": (*_OF_READS, "I6"),
    "utils": _OF_READS,
    "histories": _OF_READS,
    "auth": ("I5", "I7", "I11"),
}

# received, before_payment, in_commit, committed, replied, before_delete
PAYMENTS = _table("""
worker_killed     2/1  2/1  2/1  2/1  2/2  2/2  # the next worker finds the stored answer
postgres_stopped  2/1  2/1  2/1  2/1  1/1  1/1  # away for longer than the worker tries
postgres_cut      1/1  1/1  1/1  1/1  1/1  1/1  # the worker asks again with the same key
postgres_frozen   2/1  2/1  2/1  2/1  1/1  1/1  # the function's timeout ends the worker that waits
secret_rotated    1/1  1/1  1/1  1/1  1/1  1/1  # a warm worker fetches the secret anew
sends_failed      -    -    -    2/1  -    -    # nobody is told "paid" yet; then the stored answer
send_ambiguous    -    -    -    1/2  -    -    # sent, but the worker can't know: it sends again
send_cut_off      -    -    -    1/2  -    -
delete_lost       2/2  -    -    -    2/2  -    # the request comes back although it was answered
redis_hung        1/1  -    -    -    -    -    # payments never ask Redis
""")

# Whatever Redis does, whenever: the ledger's version decides what is believed.
DEBTS = _table("""
worker_killed     2/1  2/1  2/1  2/1  2/2  2/2
postgres_stopped  2/1  -    -    2/1  1/1  -
postgres_cut      -    1/1  1/1  1/1  -    -
postgres_frozen   -    2/1  -    -    -    -
secret_rotated    1/1  -    -    -    -    -
sends_failed      -    -    -    2/1  -    -
send_ambiguous    -    -    -    1/2  -    -
delete_lost       2/2  -    -    -    -    -
redis_rejecting     1/1  1/1  1/1  1/1  1/1  -
redis_hung        1/1  1/1  1/1  1/1  1/1  -
redis_flushed     1/1  1/1  1/1  1/1  1/1  -
redis_old         1/1  1/1  1/1  1/1  1/1  -
redis_lying       1/1  1/1  1/1  1/1  1/1  -
redis_babbling    1/1  1/1  1/1  1/1  1/1  -
""")

# As debts, but for the statement: only what meets that differs.
HISTORY = _table("""
worker_killed     -    2/1  -    2/1  2/2  -
postgres_cut      -    -    1/1  1/1  -    -
redis_hung        1/1  -    -    -    -    -
redis_old         1/1  -    -    -    -    -
redis_lying       1/1  -    -    -    -    -
""")

# A login has no dead-letter queue, and its answer differs each time: tokens are new.
LOGINS = _table("""
worker_killed     2/1  2/1  2/1  2/1  2/2  2/2
postgres_stopped  -    2/1  -    -    -    -
postgres_cut      -    -    1/1  -    -    -
sends_failed      -    -    -    2/1  -    -
delete_lost       2/2  -    -    -    -    -
""")


def cases(table: Table) -> list[Any]:
    """Return the table's cells as parameters of a test: fault, step and what is expected."""
    return [
        pytest.param(fault, step, expected, id=f"{fault}-{step}")
        for fault, row in table.items()
        for step, expected in row.items()
    ]

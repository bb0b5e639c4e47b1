"""Limits of what the service accepts. The contract and the database have copies of some."""

from __future__ import annotations

# Far above any bill, and a sum of millions of such still fits into the database's bigint.
MAX_AMOUNT_MINOR = 10**12
MAX_TOTAL_MINOR = 2**63 - 1
# Bills of one payment, and lines of one event of an import.
MAX_BILLS = 1_000
MAX_LINES = 1_000
# Rejected payments of one resident, counted by the hour in which they were asked for.
MAX_REJECTIONS = 200
# Bills that a rejection names; it says how many there are.
MAX_NAMED_BILLS = 10

MAX_USERNAME_CHARS = 128
MAX_NAME_CHARS = 200
MAX_ADDRESS_CHARS = 500
MAX_REASON_CHARS = 500
MAX_REFERENCE_CHARS = 200

# A line of bills has a few hundred bytes. The limit keeps a film that was chosen by mistake, which
# may be one line of gigabytes, out of memory.
MAX_LINE_BYTES = 16_384

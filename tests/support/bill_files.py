"""Files of bills for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from billing_app.domain.bill_lines import COLUMNS
from billing_app.ports.operator_ledger import BillIssuer, SeenReferences
from billing_app.use_cases.bill_rows import Row
from billing_app.use_cases.imports import (
    BillFile,
    ImportSummary,
    RememberedReferences,
    import_bills,
)

APARTMENT = UUID("0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0c")
HEADER = ",".join(COLUMNS)
GOOD = {
    "apartment_id": str(APARTMENT),
    "utility": "gas",
    "provider_id": "city-gas",
    "provider_reference": "G-1",
    "period_from": "2026-10-01",
    "period_to": "2026-10-31",
    "due_on": "2026-11-15",
    "amount": "51.40",
    "currency": "EUR",
}


def bill_line(delimiter: str = ",", /, **cells: object) -> str:
    """Write a good line with some cells replaced."""
    return delimiter.join(str(value) for value in {**GOOD, **cells}.values())


def bill_text(*lines: str) -> str:
    """Write a file with the usual header."""
    return "\n".join((HEADER, *lines)) + "\n"


def run_import(
    text: str | Iterable[str], *, ledger: BillIssuer, dry_run: bool = False, **kwargs: Any
) -> tuple[ImportSummary, list[Row]]:
    """Import text as a file; return the counts and the rejected lines."""
    lines = text.splitlines(keepends=True) if isinstance(text, str) else text
    digest = hashlib.sha256(text.encode() if isinstance(text, str) else b"").hexdigest()
    seen: SeenReferences = kwargs.pop("seen", None) or RememberedReferences()
    rejected: list[Row] = []
    summary = import_bills(
        file=BillFile("bills.csv", digest, lines, kwargs.pop("delimiter", None)),
        import_id=uuid4(),
        dry_run=dry_run,
        ledger=ledger,
        seen=seen,
        on_rejected=rejected.append,
        on_progress=kwargs.pop("on_progress", lambda _line: None),
    )
    return summary, rejected


def problems(rows: Iterable[Row]) -> list[tuple[int, list[tuple[str | None, str]]]]:
    """Shorten rejected lines to their numbers, columns and codes."""
    return [(row.line, [(one.column, one.code) for one in row.problems]) for row in rows]

"""Files of bills for tests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO
from uuid import UUID, uuid4

from billing_app.admin.bill_files import checked
from billing_app.domain.bill_lines import COLUMNS, Row
from billing_app.ports.operator_ledger import BillBatch, BillIssuer
from billing_app.use_cases.imports import ImportSummary, import_bills

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
    content: str | bytes | IO[bytes], *, ledger: BillIssuer, dry_run: bool = False
) -> tuple[ImportSummary, list[Row]]:
    """Import a file; return the counts and the rejected rows."""
    data = content.encode() if isinstance(content, str) else content
    file = checked(io.BytesIO(data) if isinstance(data, bytes) else data, name="bills.csv")
    source = BillBatch(uuid4(), file.name, file.sha256, dry_run)
    summary = ImportSummary(source.import_id, dry_run)
    rejected: list[Row] = []
    for batch in import_bills(rows=file.rows(), source=source, ledger=ledger):
        for imported in batch:
            summary.add(imported)
            if imported.result == "rejected":
                rejected.append(imported.row)
    return summary, rejected


def problems(rows: Iterable[Row]) -> list[tuple[int, list[tuple[str | None, str]]]]:
    """Shorten rejected lines to their numbers, columns and codes."""
    return [(row.line, [(one.column, one.code) for one in row.problems]) for row in rows]

"""Files of bills for tests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import IO
from uuid import uuid4

from billing_app.admin.bill_files import checked
from billing_app.admin.formatting import amount, plain
from billing_app.domain.bill_lines import COLUMNS, Row
from billing_app.ports.operator_ledger import BillBatch, BillIssuer
from billing_app.use_cases.imports import ImportSummary, import_bills
from tests.support.bills import APARTMENT, a_line
from tests.support.fake_bills import NOW
from tests.support.fake_ledger import FakeLedger

HEADER = ",".join(COLUMNS)
_GOOD = {**plain(a_line()), "amount": amount(a_line().amount_minor, a_line().currency)}
GOOD = {column: str(_GOOD[column]) for column in COLUMNS}


def ledger_to_bill() -> FakeLedger:
    """Return a ledger in memory that knows the apartment and the provider of the good line."""
    ledger = FakeLedger(NOW)
    ledger.add_apartment(apartment_id=APARTMENT, address="Main street 1")
    ledger.add_provider(provider_id="city-gas", name="City Gas")
    return ledger


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

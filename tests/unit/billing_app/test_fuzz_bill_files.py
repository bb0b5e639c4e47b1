"""Files of bills as bytes, broken in every way that files get broken.

Whatever comes: a file is rejected whole before anything is issued, or each line has its result,
and what was issued is whole; importing it again is a no-op.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_app.admin.cli.imports import RejectedRows
from billing_app.admin.formatting import spreadsheet_safe
from billing_app.domain.bill_lines import Row
from billing_app.domain.errors import CATALOGUE, Rejection
from billing_app.domain.limits import MAX_LINE_BYTES
from billing_app.use_cases.imports import ImportSummary
from tests.support.bill_files import HEADER, bill_line, ledger_to_bill, run_import
from tests.support.bills import APARTMENT
from tests.support.fake_ledger import FakeLedger

WHOLE_FILE = {"file_not_utf8", "line_too_long", "file_empty", "header_invalid"}
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp1251",
)
LINE_ENDS = ("\n", "\r\n", "\r", "\r\r\n", "\n\r", "\v", "\f", "\x1c", "\u0085", "\u2028")

references = st.one_of(
    st.integers(0, 3).map(lambda number: f"G-{number}"),
    st.sampled_from(
        [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\uff1dA1",
            "'=1",
            "\t=1",
            " =1",
            '"=1"',
            '"a""b"',
            '"G-1\nG-2"',
            '"G-1',
            'G"1',
            "G\x00",
            "G\x1b[31m",
            "Ж-1",
            "é",
            "🏠",
            "\u202eG",
            "\ufeffG",
            "\u3000",
            "x" * 200,
            "x" * 201,
            "x" * MAX_LINE_BYTES,
            "",
        ]
    ),
    st.text(max_size=20),
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "provider_reference": references,
        "amount": st.sampled_from(["51.40", "99.00", "0", "-1", "1e3", "٣", "51,40", "1" * 40]),
        "currency": st.sampled_from(["EUR", "JPY", "eur", "", "€"]),
        "period_to": st.sampled_from(["2026-10-31", "2026-09-01", "2026-02-30", "31.10.2026"]),
        "apartment_id": st.sampled_from(
            [str(APARTMENT), str(APARTMENT).upper(), str(uuid4()), "1"]
        ),
        "provider_id": st.sampled_from(["city-gas", "nobody", "../x"]),
        "utility": st.sampled_from(["gas", "heat", "GAS", '"gas"']),
    },
)
lines = st.one_of(
    cells.map(lambda changed: bill_line(**changed)),
    cells.map(lambda changed: bill_line(**changed)),
    st.sampled_from(["", " ", ",,,,,,,,", "a,b", HEADER]),
    st.text(max_size=40),
)


@st.composite
def files(draw: Callable[..., object]) -> bytes:
    """Make a file, and break it after that."""
    header = draw(st.sampled_from([HEADER] * 8 + [HEADER.upper(), HEADER + ",amount", ""]))
    body: object = draw(st.lists(lines, max_size=12))
    end = draw(st.sampled_from([*LINE_ENDS[:2] * 4, *LINE_ENDS]))
    assert isinstance(header, str)
    assert isinstance(body, list)
    assert isinstance(end, str)
    encoding = str(draw(st.sampled_from([*["utf-8"] * 8, *ENCODINGS])))
    content = end.join([header, *body, ""]).encode(encoding, errors="replace")
    broken = draw(st.sampled_from([content] * 6 + _broken(content)))
    assert isinstance(broken, bytes)
    return broken


def _broken(content: bytes) -> list[bytes]:
    """Cut in the middle of a character, double a mark, strew bytes that are no text."""
    middle = len(content) // 2
    return [
        content[:-1],
        content[:middle],
        b"\xef\xbb\xbf\xef\xbb\xbf" + content,
        b"\xef\xbb" + content,
        content[:middle] + b"\x00" + content[middle:],
        content[:middle] + b"\xc3" + content[middle:],
        content[:middle] + b"\xed\xa0\x80" + content[middle:],
        content + b"\x1a",
        content + content,
    ]


@dataclass
class Imported:
    """How an import of bytes ended."""

    summary: ImportSummary | None
    rejected: list[Row]
    code: str | None
    lines: int
    report: str


def run(content: bytes, ledger: FakeLedger, *, dry_run: bool = False) -> Imported:
    """Import bytes as `billing-admin import` does."""
    report = io.StringIO()
    reported = RejectedRows(report)
    try:
        summary, rejected = run_import(content, ledger=ledger, dry_run=dry_run)
    except Rejection as rejection:
        return Imported(None, [], rejection.code, 0, "")
    for row in rejected:
        reported.add(row)
    return Imported(summary, rejected, None, _lines_of_bills(content), report.getvalue())


def _lines_of_bills(content: bytes) -> int:
    """Count the lines that say something, without the header: a line ends at a line feed."""
    filled = [line for line in content.split(b"\n") if line.removeprefix(b"\xef\xbb\xbf")]
    texts = (line.decode().removeprefix("\ufeff") for line in filled)
    return sum(bool(text.strip(" \t\r\n,;")) for text in texts) - 1


@settings(max_examples=250, deadline=None)
@given(files())
def test_each_line_has_one_result_and_a_second_import_is_a_no_op(content: bytes) -> None:
    ledger = ledger_to_bill()
    dry = run(content, ledger, dry_run=True)
    assert ledger.bills == {}
    first = run(content, ledger)
    assert (dry.code, dry.summary and dry.summary.results) == (
        first.code,
        first.summary and first.summary.results,
    )
    if first.summary is None:
        assert first.code in WHOLE_FILE
        assert ledger.bills == {}
        assert first.rejected == []
        return
    check(first, ledger)
    nothing_new(content, ledger, first)


def check(first: Imported, ledger: FakeLedger) -> None:
    """Each line has its result, what is rejected says why, what is issued is there."""
    assert first.summary is not None
    results = first.summary.results
    assert results.total() == first.lines
    assert results["rejected"] == len(first.rejected) == len({row.line for row in first.rejected})
    assert results["issued"] == len(ledger.bills)
    assert all(row.problems for row in first.rejected)
    assert {one.code for row in first.rejected for one in row.problems} <= set(CATALOGUE)
    for bill in ledger.bills.values():
        reference = bill.line.provider_reference
        assert reference == spreadsheet_safe(reference)
    safe(first)


def safe(first: Imported) -> None:
    """The report is CSV that runs nothing, with a row for each rejected line."""
    rows = list(csv.reader(io.StringIO(first.report, newline="")))
    assert len(rows) == (len(first.rejected) + 1 if first.rejected else 0)
    for row in rows:
        assert all(cell == spreadsheet_safe(cell) or cell.startswith("'") for cell in row)
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


def nothing_new(content: bytes, ledger: FakeLedger, first: Imported) -> None:
    """What was issued is present, what was rejected is rejected for the same reasons."""
    before = dict(ledger.bills)
    again = run(content, ledger)
    assert again.summary is not None
    assert first.summary is not None
    assert ledger.bills == before
    assert again.summary.results["already_present"] == first.summary.results["issued"]
    assert again.summary.results["issued"] == again.summary.results["revised"] == 0
    assert again.rejected == first.rejected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_file_of_bills_are_rejected_whole(content: bytes) -> None:
    ledger = ledger_to_bill()
    assert run(content, ledger).code in WHOLE_FILE
    assert ledger.bills == {}


def test_a_quote_that_runs_over_lines_spoils_these_and_no_other() -> None:
    content = "\n".join(
        [
            HEADER,
            bill_line(provider_reference='"G-1'),
            'G-1"',
            bill_line(provider_reference="G-2"),
        ]
    ).encode()
    found = run(content, ledger_to_bill())
    assert found.summary is not None
    assert dict(found.summary.results) == {"rejected": 2, "issued": 1}
    assert [row.line for row in found.rejected] == [2, 3]


@pytest.mark.parametrize("size", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1])
def test_a_huge_cell_is_rejected_alone_until_the_line_is_no_line_any_more(size: int) -> None:
    rest = len(bill_line(provider_reference="")) + 1
    content = f"{HEADER}\n{bill_line(provider_reference='x' * (size - rest))}\n".encode()
    found = run(content, ledger_to_bill())
    if size <= MAX_LINE_BYTES:
        assert [one.code for row in found.rejected for one in row.problems] == ["value_too_long"]
    else:
        assert found.code == "line_too_long"

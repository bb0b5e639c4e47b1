"""Files of bills as bytes, broken in every way that files get broken.

Whatever comes: a file is rejected whole before anything is issued, or each line has its result,
and what was issued is whole; importing it again is a no-op.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_app.admin.cli.imports import RejectedRows
from billing_app.admin.formatting import spreadsheet_safe
from billing_app.domain.bill_lines import FORMULA_STARTS, Row
from billing_app.domain.errors import CATALOGUE, Rejection
from billing_app.domain.limits import MAX_LINE_BYTES
from tests.support.bill_files import HEADER, bill_line, ledger_to_bill, problems, run_import
from tests.support.bills import APARTMENT
from tests.support.fake_ledger import FakeLedger

WHOLE_FILE = {"file_not_utf8", "line_too_long", "file_empty", "header_invalid"}
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1251")
LINE_ENDS = ("\n", "\r\n", "\r", "\r\r\n", "\n\r", "\v", "\f", "\x1c", "\u0085", "\u2028")

# What formulas, quotes, terminals and readers of text make of a cell.
AWKWARD = "=+-@\uff1d'\"\t\n\x00\x1b[ \u202e\ufeff\u3000G1Жé🏠"
# Half a byte order mark and two, a zero, half a character, a surrogate, the end of a file of DOS.
STRAY = (b"\xef\xbb", b"\xef\xbb\xbf" * 2, b"\x00", b"\xc3", b"\xed\xa0\x80", b"\x1a")

references = st.one_of(
    st.integers(0, 3).map(lambda number: f"G-{number}"),
    st.text(AWKWARD, max_size=6),
    st.sampled_from(FORMULA_STARTS).map(lambda start: f"{start}1"),
    st.sampled_from([200, 201, MAX_LINE_BYTES]).map(lambda length: "x" * length),
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
    references.map(lambda reference: bill_line(provider_reference=reference)),
    cells.map(lambda changed: bill_line(**changed)),
    st.sampled_from(["", " ", ",,,,,,,,", "\ufeff", "a,b", HEADER]),
    st.text(max_size=40),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Make a file, and break it after that."""
    header = draw(st.sampled_from([HEADER] * 8 + [HEADER.upper(), HEADER + ",amount", ""]))
    body = draw(st.lists(lines, max_size=12))
    end = draw(st.sampled_from([*LINE_ENDS[:2] * 4, *LINE_ENDS]))
    encoding = draw(st.sampled_from([*["utf-8"] * 8, *ENCODINGS]))
    content = end.join([header, *body, ""]).encode(encoding, errors="replace")
    at = draw(st.sampled_from([0, len(content) // 2, len(content) - 1, len(content)]))
    stray = [content[:at] + one + content[at:] for one in STRAY]
    return draw(st.sampled_from([content] * 6 + [content[:at], content * 2, *stray]))


def imported(
    content: bytes, ledger: FakeLedger, *, dry_run: bool = False
) -> tuple[Counter[str] | str, list[Row]]:
    """Import bytes; return what became of the lines or of the file, and the rejected lines."""
    try:
        summary, rejected = run_import(content, ledger=ledger, dry_run=dry_run)
    except Rejection as rejection:
        return rejection.code, []
    return summary.results, rejected


def lines_of_bills(content: bytes) -> int:
    """Count the lines that say something, without the header: a line ends at a line feed."""
    texts = content.decode().removeprefix("\ufeff").split("\n")
    return sum(bool(text.strip(" \t\r\n,;")) for text in texts) - 1


@settings(max_examples=250, deadline=None)
@given(files())
def test_each_line_has_one_result_and_a_second_import_is_a_no_op(content: bytes) -> None:
    ledger = ledger_to_bill()
    dry = imported(content, ledger, dry_run=True)
    assert ledger.bills == {}
    results, rejected = imported(content, ledger)
    assert (dry[0], problems(dry[1])) == (results, problems(rejected))
    if isinstance(results, str):
        assert results in WHOLE_FILE
        assert ledger.bills == {}
        return
    assert results == Counter(issued=len(ledger.bills), rejected=len(rejected))
    assert results.total() == lines_of_bills(content)
    references = [bill.line.provider_reference for bill in ledger.bills.values()]
    assert references == list(map(spreadsheet_safe, references))
    check_rejected(rejected)
    before = dict(ledger.bills)
    again = Counter(already_present=len(before), rejected=len(rejected))
    assert imported(content, ledger) == (again, rejected)
    assert ledger.bills == before


def check_rejected(rejected: list[Row]) -> None:
    """Each line is told once and why, in a report that is CSV and runs nothing."""
    assert len({row.line for row in rejected}) == len(rejected)
    assert all(row.problems for row in rejected)
    assert {one.code for row in rejected for one in row.problems} <= set(CATALOGUE)
    text = io.StringIO()
    report = RejectedRows(text)
    for row in rejected:
        report.add(row)
    rows = list(csv.reader(io.StringIO(text.getvalue(), newline="")))
    assert len(rows) == (len(rejected) + 1 if rejected else 0)
    for cell in (cell for row in rows for cell in row):
        assert cell == spreadsheet_safe(cell) or cell.startswith("'")
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_a_quote_that_runs_over_lines_spoils_these_and_no_other() -> None:
    opening, after = bill_line(provider_reference='"G-1'), bill_line(provider_reference="G-2")
    content = f'{HEADER}\n{opening}\nG-1"\n{after}'.encode()
    results, rejected = imported(content, ledger_to_bill())
    assert results == {"rejected": 2, "issued": 1}
    assert [row.line for row in rejected] == [2, 3]


@pytest.mark.parametrize("size", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1])
def test_a_huge_cell_is_rejected_alone_until_the_line_is_no_line_any_more(size: int) -> None:
    rest = len(bill_line(provider_reference="")) + 1
    content = f"{HEADER}\n{bill_line(provider_reference='x' * (size - rest))}\n".encode()
    results, rejected = imported(content, ledger_to_bill())
    if size <= MAX_LINE_BYTES:
        assert problems(rejected) == [(2, [("provider_reference", "value_too_long")])]
    else:
        assert results == "line_too_long"

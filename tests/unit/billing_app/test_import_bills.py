"""A file of bills is imported in batches, and rejected line by line."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from billing_app.domain.errors import Rejection
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult
from billing_app.use_cases.imports import BATCH_LINES
from tests.support.bill_files import (
    GOOD,
    HEADER,
    bill_line,
    bill_text,
    ledger_to_bill,
    problems,
    run_import,
)
from tests.support.fake_ledger import FakeLedger

AMOUNT_LAST = ",".join([*(column for column in GOOD if column != "amount"), "amount"])


@pytest.fixture
def ledger() -> FakeLedger:
    return ledger_to_bill()


def test_of_two_lines_with_one_reference_neither_is_issued(ledger: FakeLedger) -> None:
    composed, decomposed = (
        bill_line(provider_reference="Ao\u00fbt"),
        bill_line(provider_reference="Aou\u0302t", amount="99.00"),
    )
    filler = [
        bill_line(provider_reference=f"F-{n}", amount=f"{n + 1}.00") for n in range(BATCH_LINES)
    ]
    summary, rejected = run_import(bill_text(composed, *filler, decomposed), ledger=ledger)
    twice = [("provider_reference", "reference_duplicated")]
    assert problems(rejected) == [(2, twice), (BATCH_LINES + 3, twice)]
    assert summary.results["issued"] == BATCH_LINES


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(bill_text(bill_line()).replace("\n", ",\n"), id="delimiter at the end"),
        pytest.param("sep=;\n" + bill_text(bill_line()).replace(",", ";"), id="sep="),
        pytest.param(bill_text(bill_line()).replace(",", "\t"), id="tabs"),
        pytest.param("\ufeff" + bill_text(bill_line()), id="byte order mark"),
        pytest.param(bill_text(bill_line()).replace("\n", "\r\n"), id="CRLF"),
        pytest.param(bill_text(bill_line(), "", ",,,,,,,,"), id="empty lines"),
    ],
)
def test_what_spreadsheets_write_is_read(ledger: FakeLedger, text: str) -> None:
    summary, rejected = run_import(text, ledger=ledger)
    assert (dict(summary.results), rejected) == ({"issued": 1}, [])


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(AMOUNT_LAST + ",", id="delimiter at the end"),
        pytest.param(AMOUNT_LAST + ",message", id="a column of the report"),
    ],
)
def test_a_decimal_comma_without_quotes_never_loses_its_decimals(
    ledger: FakeLedger, header: str
) -> None:
    cells = {column: GOOD[column] for column in AMOUNT_LAST.split(",")}
    line = ",".join({**cells, "amount": "51,40"}.values())
    with suppress(Rejection):
        run_import(f"{header}\n{line}\n", ledger=ledger)
    assert ledger.bills == {}


def test_a_rejected_line_does_not_take_its_reference(ledger: FakeLedger) -> None:
    summary, _ = run_import(bill_text(bill_line(amount="x"), bill_line()), ledger=ledger)
    assert dict(summary.results) == {"issued": 1, "rejected": 1}


class Counting(BillIssuer):
    """Issues everything and keeps nothing."""

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        return [LineResult(one.line, "issued", None, None) for one in batch.lines]


def test_memory_stays_flat_in_a_long_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / "bills.csv"
        with path.open("w") as file:
            file.write(f"{HEADER}\n")
            file.writelines(f"{bill_line(provider_reference=f'G-{n}')}\n" for n in range(count))
        with path.open("rb") as stream:
            tracemalloc.start()
            summary, _ = run_import(stream, ledger=Counting())
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert summary.results["issued"] == count
        return used

    assert peak(3_000) < 1.3 * peak(1_000)

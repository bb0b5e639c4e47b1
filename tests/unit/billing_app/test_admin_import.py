"""`billing-admin import` over fakes: what it prints, reports and ends with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.admin_bench import Bench
from tests.support.bill_files import HEADER, bill_line, bill_text


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_file_is_imported(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line())))
    assert result.exit_code == 0
    assert "issued" in result.stdout
    assert len(bench.ledger.bills) == 1


def test_a_file_is_imported_from_stdin(bench: Bench) -> None:
    result = bench.run("import", "-", "--json", stdin=bill_text(bill_line()))
    assert json.loads(result.stdout)["issued"] == 1


def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line())), "--dry-run")
    assert result.exit_code == 0
    assert "Dry run" in result.stdout
    assert bench.ledger.bills == {}


def test_rejected_lines_end_with_four_and_are_reported(bench: Bench) -> None:
    text = bill_text(
        bill_line(),
        bill_line(provider_reference='=HYPERLINK("x")', amount="x"),
        bill_line(provider_reference="G-\x1b[2J"),
    )
    report = bench.folder / "rejected.csv"
    result = bench.run("import", bench.file(text), "--report", report, "--json")
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    assert (told["code"], told["data"]["issued"], told["data"]["rejected"]) == (
        "lines_rejected",
        1,
        2,
    )
    with report.open(encoding="utf-8-sig", newline="") as stream:
        heading, *rows = csv.reader(stream)
    assert heading == ["line", "code", "message", *HEADER.split(",")]
    assert [row[:2] for row in rows] == [
        ["3", "formula_rejected amount_invalid"],
        ["4", "control_character"],
    ]
    assert not any(cell.startswith("=") or "\x1b" in cell for row in rows for cell in row)


def test_rejected_lines_are_shown_to_people(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line(amount="0"))))
    assert result.exit_code == 4
    assert "amount_not_positive" in result.stdout
    assert "lines_rejected" in result.stderr


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bill_text(bill_line(provider_reference="Ä")).encode("latin-1"), "file_not_utf8"),
        (bill_text(bill_line()).encode("utf-16"), "file_not_utf8"),
        (b"", "file_empty"),
        (b"a,b\n", "header_invalid"),
        (b"x" * 20_000, "line_too_long"),
    ],
)
def test_a_file_that_is_none_of_bills_is_rejected_whole(
    bench: Bench, content: bytes, code: str
) -> None:
    result = bench.run("import", bench.file(content))
    assert result.exit_code == 3
    assert f"billing-admin: {code}: " in result.stderr
    assert bench.ledger.bills == {}


def test_the_line_of_a_wrong_encoding_is_told(bench: Bench) -> None:
    content = bill_text(bill_line()).encode() + bill_line(provider_reference="Ä").encode("cp1252")
    result = bench.run("import", bench.file(content))
    assert "line 3, byte" in result.stderr
    assert bench.ledger.bills == {}


def test_a_file_that_is_not_there_is_told(bench: Bench) -> None:
    result = bench.run("import", bench.folder / "none.csv")
    assert (result.exit_code, "file_unreadable" in result.stderr) == (3, True)


def test_the_report_never_overwrites_the_bills(bench: Bench) -> None:
    file = bench.file(bill_text(bill_line()))
    assert bench.run("import", file, "--report", file).exit_code == 2
    assert file.read_text() == bill_text(bill_line())

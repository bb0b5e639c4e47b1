"""`billing-admin import` over fakes: what it prints, reports and ends with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.admin_cli import AdminCli
from tests.support.bill_files import HEADER, bill_line, bill_text


@pytest.fixture
def admin(tmp_path: Path) -> AdminCli:
    return AdminCli(tmp_path)


def test_a_file_is_imported_from_stdin(admin: AdminCli) -> None:
    result = admin.run("import", "-", "--json", stdin=bill_text(bill_line()))
    assert json.loads(result.stdout)["issued"] == 1


def test_rejected_lines_end_with_four_and_are_reported(admin: AdminCli) -> None:
    text = bill_text(
        bill_line(),
        bill_line(provider_reference='=HYPERLINK("x")', amount="x"),
        bill_line(provider_reference="G-\x1b[2J"),
    )
    report = admin.folder / "rejected.csv"
    result = admin.run("import", admin.file(text), "--report", report, "--json")
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


def test_a_report_can_be_corrected_and_imported(admin: AdminCli) -> None:
    report = admin.folder / "rejected.csv"
    admin.run("import", admin.file(bill_text(bill_line(amount="x"))), "--report", report)
    report.write_text(report.read_text("utf-8").replace('"x"', '"51.40"'), "utf-8")
    assert admin.run("import", report).exit_code == 0
    assert len(admin.ledger.bills) == 1


def test_probable_duplicates_are_issued_when_allowed(admin: AdminCli) -> None:
    """A spreadsheet that took the zeros from the numbers must not double what is owed."""
    admin.run("import", admin.file(bill_text(bill_line(provider_reference="00041"))))
    [first] = admin.ledger.bills
    for dry in (("--dry-run",), ()):
        result = admin.run(
            "import", admin.file(bill_text(bill_line(provider_reference="41"))), *dry
        )
        assert result.exit_code == 4
        assert "probable_duplicate" in result.stdout
        shown = "".join(result.stdout.split())
        assert f"(bill{first},00041)" in shown.replace("│", "")
    assert len(admin.ledger.bills) == 1
    told = admin.run("import", admin.folder / "bills.csv", "--allow-duplicates", "--json")
    assert (told.exit_code, json.loads(told.stdout)["issued"]) == (0, 1)


def test_a_void_bill_is_told_and_reinstated(admin: AdminCli) -> None:
    file = admin.file(bill_text(bill_line()))
    admin.run("import", file)
    [first] = admin.ledger.bills
    note = ("--reason", "the wrong one", "--yes", "--json")
    assert admin.run("void", str(first), *note).exit_code == 0
    told = admin.run("import", file, "--json")
    assert told.exit_code == 4
    [row] = json.loads(told.stdout)["data"]["rejected_lines"]
    assert row["problems"][0]["bill_id"] == str(first)
    assert admin.ledger.bills_in("open") == []
    reinstated = json.loads(admin.run("reinstate", str(first), *note).stdout)
    assert [str(bill.bill_id) for bill in admin.ledger.bills_in("open")] == [reinstated["bill_id"]]
    assert admin.run("import", file).exit_code == 0


def test_rejected_lines_are_shown_to_people(admin: AdminCli) -> None:
    result = admin.run("import", admin.file(bill_text(bill_line(amount="0"))))
    assert result.exit_code == 4
    assert "amount_not_positive" in result.stdout
    assert "lines_rejected" in result.stderr


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bill_text(bill_line()).encode("utf-16"), "file_not_utf8"),
        (b"", "file_empty"),
        (b"\n\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"a,b\n", "header_invalid"),
        (b"x" * 20_000, "line_too_long"),
    ],
)
def test_a_file_that_is_none_of_bills_is_rejected_whole(
    admin: AdminCli, content: bytes, code: str
) -> None:
    result = admin.run("import", admin.file(content))
    assert result.exit_code == 3
    assert f"billing-admin: {code}: " in result.stderr
    assert admin.ledger.bills == {}


def test_the_line_of_a_wrong_encoding_is_told(admin: AdminCli) -> None:
    content = bill_text(bill_line()).encode() + bill_line(provider_reference="Ä").encode("cp1252")
    result = admin.run("import", admin.file(content))
    assert "line 3, byte" in result.stderr
    assert admin.ledger.bills == {}


def test_a_file_that_is_not_there_is_told(admin: AdminCli) -> None:
    result = admin.run("import", admin.folder / "none.csv")
    assert (result.exit_code, "file_unreadable" in result.stderr) == (3, True)


def test_the_report_never_overwrites_the_bills(admin: AdminCli) -> None:
    file = admin.file(bill_text(bill_line()))
    assert admin.run("import", file, "--report", file).exit_code == 2
    assert file.read_text() == bill_text(bill_line())

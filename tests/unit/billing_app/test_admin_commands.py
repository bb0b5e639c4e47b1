"""The `billing-admin` command over fakes: what it prints, asks and ends with."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
import pytest
from click.testing import CliRunner, Result

from billing_app.commands.main import billing_admin
from billing_app.commands.session import Reach, Session
from billing_app.commands.settings import Target
from billing_app.domain.errors import Unavailable
from billing_app.domain.office_errors import OfficeRefusal
from billing_app.ports.office import DayOfProvider, Violation
from billing_app.use_cases.office_events import Answer, Desk, done, handle, refused
from tests.support.bill_files import APARTMENT, HEADER, bill_line, bill_text
from tests.support.fake_office import NOW, FakeDirectory, FakeOffice


class Bench:
    """`billing-admin` on fakes, run from a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.office = FakeOffice()
        self.directory = FakeDirectory()
        self.office.apartments[APARTMENT] = "Main street 1"
        self.office.providers["city-gas"] = "City Gas"

    def run(self, *arguments: str | Path, stdin: str | bytes | None = None) -> Result:
        """Run a command."""
        session = Session(self._reach, Target(environment={}))
        return CliRunner().invoke(
            billing_admin, [str(one) for one in arguments], obj=session, input=stdin
        )

    def file(self, text: str | bytes, name: str = "bills.csv") -> Path:
        """Write a file of bills."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def paid(self) -> UUID:
        """Have one bill paid; return the payment's id."""
        assert self.run("import", self.file(bill_text(bill_line()))).exit_code == 0
        return self.office.pay(self.bill_id())

    def bill_id(self) -> UUID:
        """Return the id of the one bill."""
        return self.office.bills["city-gas", "G-1"].bill_id

    def _reach(self, _target: Target) -> Reach:
        desk = Desk(self.office, self.directory, clock=lambda: NOW, new_id=uuid4)

        def ask(name: str, event: Mapping[str, Any]) -> Answer:
            if name == "migrate":
                return done({"applied": ["0001_schemas"], "repeated": [], "roles": []})
            return handle(name, event, desk=desk)

        return Reach(ask=ask, bills=self.office)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_resident_is_added_with_a_password_from_stdin(bench: Bench) -> None:
    result = bench.run(
        *("resident", "add", "anna", "--name", "Анна", "--password-stdin", "--permanent"),
        *("--address", "Main street 2", "--json"),
        stdin="Correct-Horse-9\n",
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["made"] == ["login", "resident", "apartment", "residency"]
    assert bench.directory.accounts["anna"].password == "Correct-Horse-9"
    assert "Horse" not in result.output


def test_adding_a_resident_again_is_refused_with_what_stands(bench: Bench) -> None:
    command = ("resident", "add", "anna", "--name", "Anna", "--email", "anna@example.org")
    assert bench.run(*command).exit_code == 0
    again = bench.run(*command)
    assert again.exit_code == 3
    assert again.stderr.startswith("billing-admin: resident_exists: The resident is complete")
    assert again.stderr.count("\n") == 1


def test_an_empty_stdin_is_no_password(bench: Bench) -> None:
    result = bench.run("resident", "add", "anna", "--name", "A", "--password-stdin", stdin="")
    assert result.exit_code == 2
    assert bench.directory.accounts == {}


def test_apartments_are_added_given_and_taken(bench: Bench) -> None:
    bench.run("resident", "add", "anna", "--name", "Anna", "--email", "anna@example.org")
    added = bench.run("apartment", "add", "Main street 3", "--json")
    flat = json.loads(added.stdout)["apartment_id"]
    assert bench.run("apartment", "give", "anna", flat, "--since", "2026-01-01").exit_code == 0
    assert len(bench.office.residencies) == 1
    assert bench.run("resident", "end", "anna", flat, stdin="n\n").exit_code == 130
    assert len(bench.office.residencies) == 1
    assert bench.run("resident", "end", "anna", flat, stdin="y\n").exit_code == 0
    assert bench.office.residencies == set()
    assert bench.run("resident", "disable", "anna", "--yes").exit_code == 0
    assert not bench.directory.accounts["anna"].enabled


def test_a_provider_is_added(bench: Bench) -> None:
    assert bench.run("provider", "add", "waterworks", "--name", "Вода").exit_code == 0
    assert bench.office.providers["waterworks"] == "Вода"


def test_what_was_applied_is_told(bench: Bench) -> None:
    assert "0001_schemas" in bench.run("migrate").stdout


def test_a_file_is_imported(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line())))
    assert result.exit_code == 0
    assert "issued" in result.stdout
    assert len(bench.office.bills) == 1


def test_a_file_is_imported_from_stdin(bench: Bench) -> None:
    result = bench.run("import", "-", "--json", stdin=bill_text(bill_line()))
    assert json.loads(result.stdout)["issued"] == 1


def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line())), "--dry-run")
    assert result.exit_code == 0
    assert "Dry run" in result.stdout
    assert bench.office.bills == {}


def test_refused_lines_end_with_four_and_are_reported(bench: Bench) -> None:
    text = bill_text(
        bill_line(),
        bill_line(provider_reference='=HYPERLINK("x")', amount="x"),
        bill_line(provider_reference="G-\x1b[2J"),
    )
    report = bench.folder / "refused.csv"
    result = bench.run("import", bench.file(text), "--report", report, "--json")
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    assert (told["code"], told["data"]["issued"], told["data"]["refused"]) == (
        "lines_refused",
        1,
        2,
    )
    with report.open(encoding="utf-8-sig", newline="") as stream:
        heading, *rows = csv.reader(stream)
    assert heading == ["line", "code", "message", *HEADER.split(",")]
    assert [row[:2] for row in rows] == [
        ["3", "formula_refused amount_invalid"],
        ["4", "control_character"],
    ]
    assert not any(cell.startswith("=") or "\x1b" in cell for row in rows for cell in row)


def test_refused_lines_are_shown_to_people(bench: Bench) -> None:
    result = bench.run("import", bench.file(bill_text(bill_line(amount="0"))))
    assert result.exit_code == 4
    assert "amount_not_positive" in result.stdout
    assert "lines_refused" in result.stderr


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
def test_a_file_that_is_none_of_bills_is_refused_whole(
    bench: Bench, content: bytes, code: str
) -> None:
    result = bench.run("import", bench.file(content))
    assert result.exit_code == 3
    assert f"billing-admin: {code}: " in result.stderr
    assert bench.office.bills == {}


def test_the_line_of_a_wrong_encoding_is_told(bench: Bench) -> None:
    content = bill_text(bill_line()).encode() + bill_line(provider_reference="Ä").encode("cp1252")
    result = bench.run("import", bench.file(content))
    assert "line 3, byte" in result.stderr
    assert bench.office.bills == {}


def test_a_file_that_is_not_there_is_told(bench: Bench) -> None:
    result = bench.run("import", bench.folder / "none.csv")
    assert (result.exit_code, "file_unreadable" in result.stderr) == (3, True)


def test_the_report_never_overwrites_the_bills(bench: Bench) -> None:
    file = bench.file(bill_text(bill_line()))
    assert bench.run("import", file, "--report", file).exit_code == 2
    assert file.read_text() == bill_text(bill_line())


def test_a_payment_is_reversed_after_asking(bench: Bench) -> None:
    payment_id = bench.paid()
    command = ("reverse", str(payment_id), "--reason", "paid twice", "--operator", "olga")
    assert bench.run(*command, stdin="\n").exit_code == 130
    assert bench.office.payments[payment_id].reversal is None
    result = bench.run(*command, "--yes")
    assert (result.exit_code, "51.40 EUR" in result.stdout) == (0, True)
    assert bench.office.grounds == [(payment_id, "paid twice", "olga")]
    again = bench.run(*command, "--yes", "--json")
    assert again.exit_code == 3
    assert json.loads(again.stdout)["code"] == "payment_already_reversed"


def test_a_bill_is_void(bench: Bench) -> None:
    bench.run("import", bench.file(bill_text(bill_line())))
    command = ("void", str(bench.bill_id()), "--reason", "wrong meter", "--yes")
    assert bench.run(*command).exit_code == 0
    assert bench.office.bills["city-gas", "G-1"].state == "void"
    assert bench.run(*command).exit_code == 3


def test_books_that_agree_end_with_zero(bench: Bench) -> None:
    bench.paid()
    result = bench.run("reconcile")
    assert result.exit_code == 0
    assert "51.40" in result.stdout
    assert "agree." in result.stdout


DIFFERS = DayOfProvider("city-gas", NOW.date(), "EUR", 100, 100, 90, 0, agrees=False)


def test_books_that_differ_end_with_five_and_the_rows(bench: Bench) -> None:
    bench.office.differing = [DIFFERS, replace(DIFFERS, agrees=True)]
    bench.office.broken_rules = [Violation("payment_total", "p-1", "[red]by ten")]
    result = bench.run("reconcile")
    assert result.exit_code == 5
    assert "Rows that differ" in result.stdout
    assert "[red]by ten" in result.stdout
    assert "books_differ" in result.stderr


def test_a_reconciliation_is_printed_as_csv_and_json(bench: Bench) -> None:
    bench.office.differing = [DIFFERS]
    as_csv = bench.run("reconcile", "--from", "2026-11-01", "--to", "2026-11-30", "--csv")
    assert as_csv.stdout.splitlines() == [
        "day,provider_id,currency,payments_minor,lines_minor,bills_minor,reversed_minor,agrees",
        "2026-11-22,city-gas,EUR,100,100,90,0,False",
    ]
    as_json = bench.run("--json", "reconcile")
    assert (as_json.exit_code, json.loads(as_json.stdout)["data"]["agrees"]) == (5, False)


@pytest.mark.parametrize("arguments", [("--local", "--invoke", "x", "migrate"), ("void", "1")])
def test_a_wrong_command_line_ends_with_two(bench: Bench, arguments: tuple[str, ...]) -> None:
    assert bench.run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (Unavailable("x"), 1, "service_unavailable"),
        (RuntimeError("secret"), 1, "internal_error"),
        (OfficeRefusal("bill_not_found"), 3, "bill_not_found"),
    ],
)
def test_an_error_becomes_one_sentence(error: Exception, exit_code: int, code: str) -> None:
    def broken(_target: Target) -> Reach:
        raise error

    session = Session(broken, Target(environment={}))
    result = CliRunner().invoke(billing_admin, ["migrate"], obj=session)
    assert result.exit_code == exit_code
    assert result.stderr.startswith(f"billing-admin: {code}: ")
    assert "secret" not in result.output


def test_a_failed_answer_ends_with_one(bench: Bench) -> None:
    failed = refused(OfficeRefusal("service_unavailable"))
    session = Session(
        lambda _target: Reach(ask=lambda _name, _event: failed, bills=bench.office),
        Target(environment={}),
    )
    result = CliRunner().invoke(billing_admin, ["reconcile"], obj=session)
    assert (result.exit_code, result.stdout) == (1, "")


def commands() -> list[list[str]]:
    found: list[list[str]] = []
    for name, command in billing_admin.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        found += [[name, one] for one in inner] or [[name]]
    return found


@pytest.mark.parametrize("command", commands())
def test_each_command_shows_an_example_and_prints_json(bench: Bench, command: list[str]) -> None:
    help_text = bench.run(*command, "--help").stdout
    assert "Example" in help_text
    assert "--json" in help_text

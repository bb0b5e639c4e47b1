"""The `billing-admin` command over fakes: what it prints, asks and ends with."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner

from billing_app.admin.cli.backends import local_backend
from billing_app.admin.cli.context import Backend, CliContext
from billing_app.admin.cli.main import billing_admin
from billing_app.admin.operations import OPERATIONS, Answer, done, rejected
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import DayOfProvider, Violation
from tests.support.admin_cli import AdminCli
from tests.support.bills import APARTMENT
from tests.support.fake_bills import NOW


@pytest.fixture
def admin(tmp_path: Path) -> AdminCli:
    return AdminCli(tmp_path)


def test_a_resident_is_added_with_a_password_from_stdin(admin: AdminCli) -> None:
    result = admin.run(
        *("resident", "add", "anna", "--name", "Анна", "--password-stdin", "--permanent"),
        *("--address", "Main street 2", "--json"),
        stdin="Correct-Horse-9\n",
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["made"] == ["login", "resident", "apartment", "residency"]
    assert admin.directory.accounts["anna"].password == "Correct-Horse-9"
    assert "Horse" not in result.output


def test_an_empty_stdin_is_no_password(admin: AdminCli) -> None:
    result = admin.run("resident", "add", "anna", "--name", "A", "--password-stdin", stdin="")
    assert result.exit_code == 2
    assert admin.directory.accounts == {}


def test_apartments_are_added_given_and_taken(admin: AdminCli) -> None:
    admin.run("resident", "add", "anna", "--name", "Anna", "--email", "anna@example.org")
    added = admin.run("apartment", "add", "Main street 3", "--json")
    flat = json.loads(added.stdout)["apartment_id"]
    admin.ledger.set_time_zone("America/Los_Angeles")
    given = admin.run("apartment", "give", "anna", flat, "--since", "2026-01-01", "--json")
    assert json.loads(given.stdout)["since"] == "2026-01-01T08:00:00.000000Z"
    assert len(admin.ledger.residencies) == 1
    assert admin.run("resident", "end", "anna", flat, stdin="n\n").exit_code == 130
    assert len(admin.ledger.residencies) == 1
    assert admin.run("resident", "end", "anna", flat, stdin="y\n").exit_code == 0
    assert admin.ledger.residencies[0].ended_at
    assert admin.run("resident", "disable", "anna", "--yes").exit_code == 0
    assert not admin.directory.accounts["anna"].enabled


ID = "0b6c2f5e-6f0e-4f0e-9f5e-2f4f0f0e6b0d"
INVITED = ("resident", "add", "anna", "--name", "Anna", "--email", "anna@example.org")


@pytest.mark.parametrize(
    ("command", "told", "told_again"),
    [
        (
            "provider add aqua --name Aqua",
            "Added provider aqua",
            "aqua is there already, unchanged",
        ),
        ("provider add city-gas --name Gas", "from City Gas to Gas", "already, unchanged: Gas"),
        (
            f"apartment add Street --id {ID}",
            f"Apartment {ID}: Street",
            "is there already, unchanged",
        ),
        ("apartment add Street", ": Street", ": Street"),
        ("resident invite anna", "Invited anna again, at anna@", "Invited anna again, at anna@"),
        ("resident disable anna --yes", "Disabled the login of anna.", "was disabled already."),
        (f"apartment give anna {APARTMENT}", "anna has apartment", "already. Nothing was changed."),
        (
            f"resident end anna {APARTMENT} --yes",
            "not any more. Nothing was",
            "Nothing was changed.",
        ),
        (
            "resident add anna --name Anna",
            "Nothing was changed: anna.",
            "Nothing was changed: anna.",
        ),
        ("resident add anna --name Anne", "anna has another name", "anna has another name"),
    ],
)
def test_a_command_says_what_it_did_the_second_time_too(
    admin: AdminCli, command: str, told: str, told_again: str
) -> None:
    admin.run(*INVITED)
    first, second = (admin.run(*shlex.split(command)) for _ in range(2))
    assert told in first.output
    assert told_again in second.output
    assert not second.stdout or second.exit_code == 0


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"enabled": False}, "login_disabled"),
        ({"fresh": False}, "login_in_use"),
        ({"email": None}, "login_without_email"),
    ],
)
def test_only_who_was_invited_is_invited_again(
    admin: AdminCli, state: dict[str, Any], code: str
) -> None:
    admin.run(*INVITED)
    admin.directory.accounts["anna"] = replace(admin.directory.accounts["anna"], **state)
    assert f"billing-admin: {code}: " in admin.run("resident", "invite", "anna").stderr


def test_what_was_applied_is_told(admin: AdminCli) -> None:
    assert "0001_schemas" in admin.run("migrate").stdout


def test_a_payment_is_reversed_after_asking(admin: AdminCli) -> None:
    payment_id = admin.paid()
    command = ("reverse", str(payment_id), "--reason", "paid twice", "--operator", "olga")
    assert admin.run(*command, stdin="\n").exit_code == 130
    assert admin.ledger.payments[payment_id].reversal is None
    result = admin.run(*command, "--yes")
    assert (result.exit_code, "51.40 EUR" in result.stdout) == (0, True)
    assert admin.ledger.notes == [(payment_id, "paid twice", "olga")]
    again = admin.run(*command, "--yes", "--json")
    assert again.exit_code == 3
    assert json.loads(again.stdout)["code"] == "payment_already_reversed"


def test_a_ledger_that_agrees_end_with_zero(admin: AdminCli) -> None:
    admin.paid()
    result = admin.run("reconcile")
    assert result.exit_code == 0
    assert "51.40" in result.stdout
    assert "agree." in result.stdout


DIFFERS = DayOfProvider("city-gas", NOW.date(), "EUR", 100, 100, 90, 0, agrees=False)


def test_a_ledger_that_differs_end_with_five_and_the_rows(admin: AdminCli) -> None:
    admin.ledger.differing = [DIFFERS, replace(DIFFERS, agrees=True)]
    admin.ledger.broken_rules = [Violation("payment_total", "p-1", "[red]by ten")]
    result = admin.run("reconcile")
    assert result.exit_code == 5
    assert "Rows that differ" in result.stdout
    assert "[red]by ten" in result.stdout
    assert "ledger_differs" in result.stderr


def test_a_check_of_many_calls_is_told_as_one(admin: AdminCli) -> None:
    """Also when a later call fails: what was found before is printed all the same."""
    days = {"from": "a", "to": "b", "time_zone": "UTC"}
    data = {**days, "rows": [], "violations": [], "violations_left_out": 0}
    differs = {"rule": "r-1", "subject": "s", "detail": "d"}
    again = {**data, "agrees": True, "checked": 5, "apartments": 12, "next": None}
    calls = {
        None: done({**again, "next": {"first_apartment": "x"}}),
        "x": {
            **rejected(Rejection("ledger_differs")),
            "data": {**again, "agrees": False, "violations": [differs], "next": {"from": "z"}},
        },
    }
    for last, exit_code in ((done(again), 5), (rejected(Rejection("service_unavailable")), 1)):
        calls["z"] = last

        def ask(_name: str, event: Mapping[str, Any]) -> Answer:
            return calls[event.get("first_apartment") or (event["from"] if event else None)]

        cli = CliContext(partial(lambda ask, _prefix: Backend(ask=ask, bills=admin.ledger), ask))
        result = CliRunner().invoke(billing_admin, ["--local", "reconcile"], obj=cli)
        assert (result.exit_code, "r-1" in result.stdout) == (exit_code, True)
        assert result.stderr.startswith("5 of 12 apartments\n10 of 12 apartments\n")
    found = CliRunner().invoke(billing_admin, ["--local", "reconcile", "--json"], obj=cli)
    assert json.loads(found.stdout)["data"]["checked"] == 10


def test_one_apartment_is_reconciled(admin: AdminCli) -> None:
    assert admin.run("reconcile", "--apartment", str(APARTMENT)).exit_code == 0
    unknown = admin.run("reconcile", "--apartment", str(uuid4()))
    assert (unknown.exit_code, "apartment_not_found" in unknown.stderr) == (3, True)


def test_a_reconciliation_is_printed_as_csv_and_json(admin: AdminCli) -> None:
    admin.ledger.differing = [DIFFERS]
    as_csv = admin.run("reconcile", "--from", "2026-11-01", "--to", "2026-11-30", "--csv")
    assert as_csv.stdout.splitlines() == [
        "day,provider_id,currency,payments_minor,lines_minor,bills_minor,reversed_minor,agrees",
        "2026-11-22,city-gas,EUR,100,100,90,0,False",
    ]
    as_json = admin.run("--json", "reconcile")
    assert (as_json.exit_code, json.loads(as_json.stdout)["data"]["agrees"]) == (5, False)


@pytest.mark.parametrize("arguments", [("--invoke", "x", "migrate"), ("void", "1")])
def test_a_wrong_command_line_ends_with_two(admin: AdminCli, arguments: tuple[str, ...]) -> None:
    assert admin.run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (Unavailable("x"), 1, "service_unavailable"),
        (RuntimeError("secret"), 1, "internal_error"),
        (Rejection("bill_not_found"), 3, "bill_not_found"),
    ],
)
def test_an_error_becomes_one_sentence(error: Exception, exit_code: int, code: str) -> None:
    def broken(_prefix: str | None) -> Backend:
        raise error

    result = CliRunner().invoke(billing_admin, ["--local", "migrate"], obj=CliContext(broken))
    assert result.exit_code == exit_code
    assert result.stderr.startswith(f"billing-admin: {code}: ")
    assert "secret" not in result.output


def commands(group: click.Group = billing_admin) -> Iterator[list[str]]:
    for name, command in group.commands.items():
        inner = commands(command) if isinstance(command, click.Group) else [[]]
        yield from ([name, *words] for words in inner)


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_each_command_shows_an_example_and_prints_json(admin: AdminCli, command: list[str]) -> None:
    help_text = admin.run(*command, "--help").stdout
    assert "Example" in help_text
    assert "--json" in help_text


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.command])
def test_the_example_of_a_command_is_understood(admin: AdminCli, name: str) -> None:
    command = OPERATIONS[name].command
    assert command is not None
    words = command.name.split()
    example = admin.run(*words, "--help").stdout.partition("Example:\n")[2]
    line = example.partition("\n\n")[0].replace("\n", " ")
    result = admin.run(*shlex.split(line)[1:], *(["--yes"] if command.question else []))
    # What it names is unknown to this ledger, so it may be rejected.
    assert result.exit_code in (0, 3), result.output
    assert "invalid_request" not in result.stderr


def test_without_a_backend_no_command_works(admin: AdminCli) -> None:
    cli = CliContext(lambda _prefix: pytest.fail("opened"))
    result = CliRunner().invoke(billing_admin, ["migrate"], obj=cli)
    assert (result.exit_code, "--invoke PREFIX" in result.stderr) == (2, True)
    assert CliRunner().invoke(billing_admin, ["void", "--help"], obj=cli).exit_code == 0


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_without_a_local_service_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.setenv("BILLING_STATE", str(tmp_path))
    if content is not None:
        (tmp_path / "cloud.json").write_text(content)
    with pytest.raises(click.UsageError, match="make up"):
        local_backend()


def test_help_waits_for_no_library_of_a_backend() -> None:
    """boto3 and psycopg2 take a second to import."""
    program = (
        "import sys; import billing_app.admin.cli.main;"
        "sys.exit(bool({'boto3', 'psycopg2', 'redis'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""`billing-admin reconcile`: whether payments, their lines and the bills agree."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from billing_app.admin.cli.context import CliContext, NotDone, json_option
from billing_app.admin.formatting import amount, spreadsheet_safe, visible
from billing_app.admin.operations import Answer

Row = Mapping[str, Any]

_SUMS = ("payments_minor", "lines_minor", "bills_minor", "reversed_minor")
_FIELDS = ("day", "provider_id", "currency", *_SUMS, "agrees")
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "first_day", type=_DAY, help="First day. Default: 30 days before the last.")
@click.option("--to", "last_day", type=_DAY, help="Last day, included. Default: today.")
@click.option("--apartment", metavar="ID", help="Check this apartment only, and no days.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV, in minor units.")
@json_option
@click.pass_obj
def reconcile(
    cli: CliContext,
    first_day: datetime | None,
    last_day: datetime | None,
    apartment: str | None,
    as_csv: bool,
) -> None:
    """Compare payments, lines and bills per provider and day, and check each apartment.

    Days are those of the deployment's time zone. If something differs, the command prints the
    rows and ends with exit code 5. A large ledger takes many calls; the command says on stderr how
    far it has come.

    \b
    Examples:
      billing-admin --local reconcile
      billing-admin --local reconcile --from 2026-10-01 --to 2026-10-31 --csv > october.csv
      billing-admin --local reconcile --apartment 5f0c7a52-7d52-4cf5-9d55-0f1f7ad3a6f1
    """
    answer = _complete(cli, _event(first_day, last_day, apartment))
    if answer["data"] and "rows" in answer["data"] and not cli.as_json:
        (_print_csv if as_csv else _print_tables)(answer["data"])
    if answer["status"] != "done":
        raise NotDone(answer, as_json=cli.as_json)
    if cli.as_json:
        cli.say(answer["data"], "")


def _event(
    first_day: datetime | None, last_day: datetime | None, apartment: str | None
) -> dict[str, str]:
    days = {"from": first_day, "to": last_day}
    event = {name: day.date().isoformat() for name, day in days.items() if day}
    return {**event, "apartment_id": apartment} if apartment else event


def _complete(cli: CliContext, event: Mapping[str, str]) -> Answer:
    """Ask until all is checked; return one answer, with what all calls found.

    It is the answer of a call that failed, if one did: that ends the check.
    """
    answers = [cli.backend.ask("reconcile", event)]
    while _is_about_the_ledger(answers[-1]) and (go_on := answers[-1]["data"]["next"]):
        checked = sum(one["data"]["checked"] for one in answers)
        click.echo(f"{checked} of {answers[-1]['data']['apartments']} apartments", err=True)
        # The days are those of the first call, also after midnight.
        days = {name: answers[0]["data"][name] for name in ("from", "to")}
        answers.append(cli.backend.ask("reconcile", {**days, **go_on}))
    found = [one["data"] for one in answers if _is_about_the_ledger(one)]
    failed = answers[-1:] if len(found) < len(answers) else []
    telling = [*failed, *(one for one in answers if one["code"]), *answers][0]
    return {**telling, "data": _merged(found)} if found else telling


def _is_about_the_ledger(answer: Answer) -> bool:
    return answer["code"] in (None, "ledger_differs")


def _merged(calls: list[Row]) -> dict[str, Any]:
    return {
        **calls[-1],
        "from": calls[0]["from"],
        "agrees": all(one["agrees"] for one in calls),
        "rows": [row for one in calls for row in one["rows"]],
        "violations": [violation for one in calls for violation in one["violations"]],
        "violations_left_out": sum(one["violations_left_out"] for one in calls),
        "checked": sum(one["checked"] for one in calls),
    }


def _print_csv(data: Row) -> None:
    writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in data["rows"]:
        safe = {"provider_id": spreadsheet_safe(row["provider_id"])}
        writer.writerow({**{name: row[name] for name in _FIELDS}, **safe})


def _print_tables(data: Row) -> None:
    console = Console(markup=False, highlight=False)
    console.print(
        _sums_table(f"{data['from']} to {data['to']} ({data['time_zone']})", data["rows"])
    )
    differing = [row for row in data["rows"] if not row["agrees"]]
    if differing:
        console.print(_sums_table("Rows that differ", differing))
    if data["violations"]:
        console.print(_violations_table(data["violations"]))
    if data["agrees"]:
        console.print(f"Payments, lines and bills agree. {data['checked']} apartments checked.")


def _sums_table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(title=title)
    table.add_column("Day", no_wrap=True)
    table.add_column("Provider", overflow="fold")
    for heading in ("Payments", "Lines", "Bills", "Reversed"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("In", no_wrap=True)
    table.add_column("Agrees", no_wrap=True)
    for row in rows:
        sums = (amount(row[name], row["currency"]) for name in _SUMS)
        agrees = "yes" if row["agrees"] else "NO"
        table.add_row(row["day"], visible(row["provider_id"]), *sums, row["currency"], agrees)
    return table


def _violations_table(violations: Iterable[Row]) -> Table:
    table = Table("Rule", "Subject", "Detail", title="Broken rules")
    for one in violations:
        table.add_row(*(visible(str(one[name])) for name in ("rule", "subject", "detail")))
    return table

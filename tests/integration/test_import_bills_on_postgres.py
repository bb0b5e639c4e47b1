"""Files of bills on a real Postgres: as files, broken off and taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from billing_app.adapters.operator_ledger import PostgresOperatorLedger
from billing_app.admin.cli.backends import local_backend
from billing_app.admin.cli.context import CliContext
from billing_app.admin.cli.main import billing_admin
from billing_app.domain.errors import Unavailable
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult
from tests.support.bill_files import bill_line, bill_text, run_import
from tests.support.databases import LedgerDatabase
from tests.support.ledger import Home, Ledger

LINES = 1200


def file_of(home: Home, *, lines: int = LINES) -> str:
    """Write a file of gas bills for a home."""
    cells: dict[str, object] = {"apartment_id": home.apartment, "provider_id": "northgas"}
    numbered = ({"provider_reference": f"G-{n}", "amount": f"{n + 1}.00"} for n in range(lines))
    return bill_text(*(bill_line(**cells, **one) for one in numbered))


class BreaksOff(BillIssuer):
    """Loses the answer of its second batch."""

    def __init__(self, ledger: BillIssuer) -> None:
        self._ledger = ledger
        self._batches = 0

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        results = self._ledger.issue_bills(batch=batch)
        self._batches += 1
        if self._batches == 2:
            raise Unavailable("lost")
        return results


def test_an_import_that_broke_off_is_completed_by_the_next(
    ledger: Ledger, database: LedgerDatabase
) -> None:
    home, operator = ledger.home(), PostgresOperatorLedger(database.adapters("operator"))
    text = file_of(home)
    with pytest.raises(Unavailable):
        run_import(text, ledger=BreaksOff(operator))
    summary, _ = run_import(text, ledger=operator)
    assert dict(summary.results) == {"already_present": 1000, "issued": LINES - 1000}
    assert len(ledger.open_bills(home)) == LINES


Run = Callable[..., Result]


@pytest.fixture
def run(database: LedgerDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Give `billing-admin`, wired as it is shipped, to this database and to moto."""
    monkeypatch.setenv("BILLING_STATE", str(tmp_path))
    with mock_aws():
        cloud = _cloud(database)
        (tmp_path / "cloud.json").write_text(json.dumps(cloud), encoding="utf-8")

        def run(*arguments: object, stdin: str | None = None) -> Result:
            words = ["--local", *map(str, arguments)]
            cli = CliContext(lambda _prefix: local_backend())
            return CliRunner().invoke(billing_admin, words, obj=cli, input=stdin)

        yield run


def _cloud(database: LedgerDatabase) -> dict[str, Any]:
    """Make secrets and a user pool; return what a local service writes down about itself."""
    region = "eu-central-1"
    session = boto3.Session("x", "x", region_name=region)
    secrets = session.client("secretsmanager")
    for role in ("operator", "writer", "reader", "owner"):
        name = "migrator" if role == "owner" else role
        text = json.dumps(database.secret(role))
        secrets.create_secret(Name=f"bill-test/database/{name}", SecretString=text)
    pool = session.client("cognito-idp").create_user_pool(PoolName="p")
    return {
        "prefix": "bill-test",
        "user_pool_id": pool["UserPool"]["Id"],
        "region": region,
        "aws_endpoint_url": None,
        "aws_is_embedded": True,
    }


def test_an_operator_sets_up_a_home_and_bills_it(run: Run, ledger: Ledger, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    assert run("provider", "add", "northgas", "--name", "North Gas").exit_code == 0
    command = ("resident", "add", "anna", "--name", "Анна", "--address", "Main street 1")
    added = run(*command, "--password-stdin", "--permanent", "--json", stdin="Correct-Horse-9\n")
    assert added.exit_code == 0, added.output
    told = json.loads(added.stdout)
    assert run(*command, "--password-stdin", stdin="Correct-Horse-9\n").exit_code == 3

    home = Home(told["subject"], told["apartment_id"])
    file = tmp_path / "bills.csv"
    file.write_text(file_of(home, lines=3) + bill_line(apartment_id="x") + "\n")
    dry = run("import", file, "--dry-run")
    assert (dry.exit_code, "Dry run" in dry.stdout, ledger.open_bills(home)) == (4, True, set())
    assert run("import", file).exit_code == 4
    bills = sorted(ledger.open_bills(home))
    assert len(bills) == 3

    payment_id = ledger.pay(home, bills[:2])["data"]["payment_id"]
    assert run("void", bills[2], "--reason", "wrong meter", "--yes").exit_code == 0
    assert run("reverse", payment_id, "--reason", "paid twice", "--yes").exit_code == 0
    assert ledger.open_bills(home) == set(bills[:2])
    reconciled = run("reconcile", "--json")
    assert (reconciled.exit_code, len(json.loads(reconciled.stdout)["rows"])) == (0, 1)


def test_a_ledger_that_was_tampered_with_does_not_reconcile(
    run: Run, ledger: Ledger, database: LedgerDatabase
) -> None:
    home = ledger.home()
    ledger.pay(home, [ledger.bill(home)])
    admin = database.connect("admin")
    with admin.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE billing.payments SET total_minor = total_minor + 1")
    result = run("reconcile", "--json")
    assert result.exit_code == 5
    data = json.loads(result.stdout)["data"]
    assert [row["agrees"] for row in data["rows"]] == [False]
    assert data["violations"]

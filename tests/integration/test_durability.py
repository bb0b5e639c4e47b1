"""What was answered "paid" is there after the database was stopped without any warning."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg2
import pytest

from billing_app.adapters.ledger import PostgresLedger
from billing_app.ports.ledger import PaymentOrder
from tests.support.databases import LedgerDatabase, Server
from tests.support.ledger import Home, Ledger
from tools.local.postgres import EmbeddedPostgres

ROUNDS = 3


class PatientServer:
    """A Postgres that writes its log only when a commit waits for it.

    Usually a process of it does so every 200 ms, too, which would hide that nobody had waited.
    """

    def __init__(self, folder: Path) -> None:
        self._postgres = EmbeddedPostgres(folder, durable=False)
        self._postgres.start()
        with closing(psycopg2.connect(self._postgres.superuser_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
                cursor.execute("SELECT pg_reload_conf()")
        self.server = Server(
            admin_url=self._postgres.superuser_url, owner_url=self._postgres.superuser_url
        )

    def stop_at_once(self) -> None:
        """Stop as a crash does, and recover."""
        process = self._postgres.process
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        self._postgres.launch()
        self._postgres.wait_until_ready()

    def destroy(self) -> None:
        """End it and remove its data."""
        self._postgres.destroy()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PatientServer]:
    patient = PatientServer(tmp_path_factory.mktemp("patient"))
    try:
        with patient.server.template():
            yield patient
    finally:
        patient.destroy()


@pytest.fixture
def database(patient: PatientServer) -> Iterator[LedgerDatabase]:
    with patient.server.database() as database:
        yield database


@pytest.fixture
def payer(database: LedgerDatabase) -> PostgresLedger:
    """The ledger as the function `payments` has it."""
    return PostgresLedger(database.adapters("writer"))


def paid_in_ledger(database: LedgerDatabase, home: Home) -> set[str]:
    """Ask on a fresh connection: the others ended with the server."""
    history = Ledger(database).history(home)
    return {event["payment_id"] for event in history["events"]}


def test_what_was_answered_as_paid_survives_an_immediate_stop(
    patient: PatientServer, database: LedgerDatabase, payer: PostgresLedger
) -> None:
    home = Ledger(database).home()
    answered: set[str] = set()
    for key in map(str, range(ROUNDS)):
        bill = UUID(Ledger(database).bill(home))
        order = PaymentOrder(home.subject, key, home.apartment, (bill,), None)
        answered.add(str(payer.pay(order).payment_id))
        patient.stop_at_once()
        assert paid_in_ledger(database, home) == answered
    assert Ledger(database).violations() == []


def test_a_rejection_that_was_answered_survives_an_immediate_stop(
    patient: PatientServer, database: LedgerDatabase
) -> None:
    ledger = Ledger(database)
    home = ledger.home()
    bill = ledger.bill(home)
    paid = ledger.pay(home, [bill])["data"]["payment_id"]
    rejection = ledger.pay(home, [bill], key="key")
    patient.stop_at_once()
    later = Ledger(database)
    later.reverse(paid)
    assert rejection["code"] == "bill_already_paid"
    assert later.pay(home, [bill], key="key") == rejection

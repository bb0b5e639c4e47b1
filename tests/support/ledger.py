"""The functions of the schema `api` as tests like to call them, each as the role that may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID, uuid4

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from billing_app.admin.formatting import plain
from tests.support.bills import a_line
from tests.support.databases import ROLES, LedgerDatabase

# What a function returns: the JSON that the tests look into.
Answer: TypeAlias = Any

LONG_AGO = "2020-01-01T00:00:00Z"


class Home(NamedTuple):
    """A resident and an apartment of theirs."""

    subject: UUID
    apartment: UUID


def query(connection: Connection, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; none for a statement that returns no rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def value(connection: Connection, statement: str, *parameters: Any) -> Any:
    """Run a statement and return its one value."""
    return query(connection, statement, *parameters)[0][0]


def line(home: Home, **fields: Any) -> dict[str, Any]:
    """Return a line of an import with these fields, and usual values for the rest."""
    usual = {"provider_id": "northgas", "provider_reference": str(uuid4())}
    found: dict[str, Any] = plain(a_line(apartment_id=home.apartment))
    return {**found, **usual, **fields}


@dataclass
class Ledger:
    """The ledger in one database, prepared and read through the api functions."""

    database: LedgerDatabase
    _open: dict[str, Connection] = field(default_factory=dict)

    def connection(self, role: str) -> Connection:
        """Return this object's own connection of a role."""
        if role not in self._open:
            self._open[role] = self.database.connect(role)
        return self._open[role]

    def on(self, connection: Connection) -> Ledger:
        """Return the same functions on this connection, whatever its role."""
        return Ledger(self.database, dict.fromkeys((*ROLES, "owner", "admin"), connection))

    def ask(self, role: str, function: str, *arguments: Any) -> Answer:
        """Return the one value that `api.<function>` returns to this role."""
        return self.rows(role, function, *arguments)[0][0]

    def rows(self, role: str, function: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Return the rows that `api.<function>` returns to this role."""
        places = ", ".join(["%s"] * len(arguments))
        return query(self.connection(role), f"SELECT * FROM api.{function}({places})", *arguments)

    def provider(self, provider_id: str = "northgas", name: str = "North Gas") -> str:
        """Add or rename a provider."""
        self.ask("operator", "add_provider", provider_id, name)
        return provider_id

    def resident(self, name: str = "Анна Ковач") -> UUID:
        """Add a resident and return the sub of their user."""
        subject = uuid4()
        self.ask("operator", "add_resident", subject, name)
        return subject

    def apartment(self, address: str = "1 Long Street, flat 7") -> UUID:
        """Add an apartment."""
        apartment = uuid4()
        self.ask("operator", "add_apartment", apartment, address)
        return apartment

    def grant(self, subject: UUID, apartment: UUID, since: str = LONG_AGO) -> Answer:
        """Let a resident act for an apartment."""
        return self.ask("operator", "grant_residency", subject, apartment, since)

    def end_residency(self, home: Home) -> Answer:
        """End a resident's right to act for their apartment."""
        return self.ask("operator", "end_residency", *home)

    def home(self) -> Home:
        """Add a resident with an apartment, and the usual provider."""
        self.provider()
        home = Home(self.resident(), self.apartment())
        self.grant(*home)
        return home

    def issue(
        self,
        lines: Iterable[Mapping[str, Any]],
        *,
        dry_run: bool = False,
        sha256: str | None = None,
        import_id: UUID | None = None,
        allow_duplicates: bool = True,
    ) -> Answer:
        """Import lines, as a new file by default; most tests need bills that look alike."""
        batch = {
            "import_id": str(import_id or uuid4()),
            "file_name": "bills.csv",
            "sha256": sha256 or uuid4().hex * 2,
            "dry_run": dry_run,
            "allow_duplicates": allow_duplicates,
            "lines": list(lines),
        }
        return self.ask("operator", "issue_bills", json.dumps(batch))

    def bills(self, home: Home, *amounts: int, **fields: Any) -> list[str]:
        """Issue one bill per amount and return their ids."""
        lines = [line(home, amount_minor=amount, **fields) for amount in amounts]
        return [result["bill_id"] for result in self.issue(lines)["data"]["lines"]]

    def bill(self, home: Home, amount_minor: int = 5140, **fields: Any) -> str:
        """Issue one bill and return its id."""
        return self.bills(home, amount_minor, **fields)[0]

    def pay(
        self,
        home: Home,
        bills: Sequence[str | UUID],
        *,
        key: str | None = None,
        total: int | None = None,
    ) -> Answer:
        """Pay bills, with a new key by default."""
        statement = "SELECT api.pay(%s, %s, %s, %s::uuid[], %s)"
        wanted = (key or str(uuid4()), home.apartment, [str(bill) for bill in bills], total)
        return value(self.connection("writer"), statement, home.subject, *wanted)

    def reverse(self, payment_id: str, reason: str = "paid twice") -> Answer:
        """Reverse a payment."""
        return self.ask("operator", "reverse_payment", payment_id, reason, "olga")

    def void(self, bill_id: str, reason: str = "sent in error") -> Answer:
        """Withdraw a bill."""
        return self.ask("operator", "void_bill", bill_id, reason, "olga")

    def reinstate(self, bill_id: str, *, allow_duplicates: bool = False) -> Answer:
        """Take back a void."""
        note = ("not in error", "olga")
        return self.ask("operator", "reinstate_bill", bill_id, *note, allow_duplicates)

    def debts(self, home: Home) -> Answer:
        """Return what api.open_debts returns."""
        return self.ask("reader", "open_debts", *home)

    def open_bills(self, home: Home) -> set[str]:
        """Return the ids of the bills that are owed."""
        return {debt["bill_id"] for debt in self.debts(home)["debts"]}

    def version(self, home: Home) -> int:
        """Return the apartment's version."""
        version: int = self.rows("reader", "apartment_access", *home)[0][0]
        return version

    def history(
        self,
        home: Home,
        *,
        after: int = 0,
        known: tuple[str | None, str | None] = (None, None),
        limit: int = 1000,
    ) -> Answer:
        """Return what api.settled_history returns."""
        return self.ask("reader", "settled_history", *home, after, *known, limit)

    def violations(self) -> list[tuple[Any, ...]]:
        """Return the contradictions in the ledger."""
        return self.rows("operator", "violations")

    def after_damage(self, damage: str, question: str) -> list[tuple[Any, ...]]:
        """Run a query after a statement without constraints and triggers; roll both back."""
        admin = self.connection("admin")
        query(admin, "BEGIN; SET LOCAL session_replication_role = replica")
        try:
            query(admin, damage)
            return query(admin, question)
        finally:
            query(admin, "ROLLBACK")

"""The functions of the schema `api` as tests like to call them, each as the role that may."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tests.support.databases import BooksDatabase

Answer = dict[str, Any]

LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass(frozen=True)
class Home:
    """A resident and an apartment of theirs."""

    subject: UUID
    apartment: UUID


def query(connection: Connection, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; none for a statement that gives no rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def value(connection: Connection, statement: str, *parameters: Any) -> Any:
    """Run a statement and return the one value that it gives."""
    return query(connection, statement, *parameters)[0][0]


def pay(
    writer: Connection,
    home: Home,
    bills: Sequence[str | UUID],
    *,
    key: str | None = None,
    total: int | None = None,
) -> Answer:
    """Call api.pay on this connection, with a key of its own unless one is given."""
    statement = "SELECT api.pay(%s, %s, %s, %s::uuid[], %s)"
    ids = [str(bill) for bill in bills]
    answer: Answer = value(
        writer, statement, home.subject, key or str(uuid4()), home.apartment, ids, total
    )
    return answer


def line(home: Home, **fields: Any) -> dict[str, Any]:
    """Return a line of an import with these fields, and usual values for the rest."""
    return {
        "line": 1,
        "apartment_id": str(home.apartment),
        "utility": "gas",
        "provider_id": "northgas",
        "provider_reference": str(uuid4()),
        "period_from": "2026-10-01",
        "period_to": "2026-10-31",
        "due_on": "2026-11-15",
        "amount_minor": 5140,
        "currency": "EUR",
        **fields,
    }


@dataclass
class Ledger:
    """One database's books: scenes are set, and looked at, through the api functions."""

    database: BooksDatabase
    _open: dict[str, Connection] = field(default_factory=dict)

    def connection(self, role: str) -> Connection:
        """Return this object's own connection of a role."""
        if role not in self._open:
            self._open[role] = self.database.connect(role)
        return self._open[role]

    def ask(self, role: str, function: str, *arguments: Any) -> Any:
        """Return the one value that `api.<function>` answers to this role."""
        places = ", ".join(["%s"] * len(arguments))
        return value(self.connection(role), f"SELECT api.{function}({places})", *arguments)

    def rows(self, role: str, function: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Return the rows that `api.<function>` answers to this role."""
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
        answer: Answer = self.ask("operator", "grant_residency", subject, apartment, since)
        return answer

    def home(self) -> Home:
        """Add a resident with an apartment, and the usual provider."""
        self.provider()
        home = Home(subject=self.resident(), apartment=self.apartment())
        self.grant(home.subject, home.apartment)
        return home

    def issue(
        self,
        lines: Iterable[Mapping[str, Any]],
        *,
        dry_run: bool = False,
        sha256: str | None = None,
        import_id: UUID | None = None,
    ) -> Answer:
        """Import lines, as a file of its own unless its sha256 is given."""
        batch = {
            "import_id": str(import_id or uuid4()),
            "file_name": "bills.csv",
            "sha256": sha256 or uuid4().hex * 2,
            "dry_run": dry_run,
            "lines": list(lines),
        }
        answer: Answer = self.ask("operator", "issue_bills", json.dumps(batch))
        return answer

    def bills(self, home: Home, *amounts: int, **fields: Any) -> list[str]:
        """Issue one bill per amount and return their ids."""
        lines = [line(home, amount_minor=amount, **fields) for amount in amounts]
        return [result["bill_id"] for result in self.issue(lines)["data"]["lines"]]

    def bill(self, home: Home, **fields: Any) -> str:
        """Issue one bill and return its id."""
        issued: str = self.issue([line(home, **fields)])["data"]["lines"][0]["bill_id"]
        return issued

    def pay(
        self,
        home: Home,
        bills: Sequence[str | UUID],
        *,
        key: str | None = None,
        total: int | None = None,
    ) -> Answer:
        """Pay bills on this object's own connection."""
        return pay(self.connection("writer"), home, bills, key=key, total=total)

    def reverse(self, payment_id: str, reason: str = "paid twice") -> Answer:
        """Reverse a payment."""
        answer: Answer = self.ask("operator", "reverse_payment", payment_id, reason, "olga")
        return answer

    def void(self, bill_id: str, reason: str = "sent in error") -> Answer:
        """Withdraw a bill."""
        answer: Answer = self.ask("operator", "void_bill", bill_id, reason, "olga")
        return answer

    def debts(self, home: Home) -> Answer:
        """Return what api.open_debts answers."""
        answer: Answer = self.ask("reader", "open_debts", home.subject, home.apartment)
        return answer

    def open_bills(self, home: Home) -> set[str]:
        """Return the ids of the bills that are owed."""
        return {debt["bill_id"] for debt in self.debts(home)["debts"]}

    def version(self, home: Home) -> int:
        """Return the apartment's version."""
        version: int = self.rows("reader", "apartment_access", home.subject, home.apartment)[0][0]
        return version

    def history(
        self,
        home: Home,
        *,
        after: int = 0,
        known: tuple[str | None, str | None] = (None, None),
        limit: int = 1000,
    ) -> Answer:
        """Return what api.settled_history answers."""
        answer: Answer = self.ask(
            "reader", "settled_history", home.subject, home.apartment, after, *known, limit
        )
        return answer

    def violations(self) -> list[tuple[Any, ...]]:
        """Return the contradictions in the books."""
        return self.rows("operator", "violations")

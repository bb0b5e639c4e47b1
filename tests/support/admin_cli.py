"""`billing-admin` over fakes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from click.testing import CliRunner, Result

from billing_app.admin.cli.context import Backend, CliContext
from billing_app.admin.cli.main import billing_admin
from billing_app.admin.operations import Answer, done, handle
from billing_app.ports.operator_ledger import AdminContext
from tests.support.bill_files import APARTMENT, bill_line, bill_text
from tests.support.fake_operator_ledger import NOW, FakeOperatorLedger, FakeUserDirectory


class AdminCli:
    """`billing-admin` on fakes, run from a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = FakeOperatorLedger()
        self.directory = FakeUserDirectory()
        self.ledger.apartments[APARTMENT] = "Main street 1"
        self.ledger.providers["city-gas"] = "City Gas"

    def run(self, *arguments: str | Path, stdin: str | bytes | None = None) -> Result:
        """Run a command."""
        words = ["--local", *map(str, arguments)]
        return CliRunner().invoke(
            billing_admin, words, obj=CliContext(lambda _prefix: self._backend()), input=stdin
        )

    def file(self, text: str | bytes, name: str = "bills.csv") -> Path:
        """Write a file of bills."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def paid(self) -> UUID:
        """Have one bill paid; return the payment's id."""
        assert self.run("import", self.file(bill_text(bill_line()))).exit_code == 0
        return self.ledger.pay(self.bill_id())

    def bill_id(self) -> UUID:
        """Return the id of the one bill."""
        return self.ledger.bills["city-gas", "G-1"].bill_id

    def _backend(self) -> Backend:
        context = AdminContext(self.ledger, self.directory, clock=lambda: NOW, new_id=uuid4)

        def ask(name: str, event: Mapping[str, Any]) -> Answer:
            if name == "migrate":
                return done({"applied": ["0001_schemas"], "repeated": [], "roles": []})
            return handle(name, event, context=context)

        return Backend(ask=ask, bills=self.ledger)

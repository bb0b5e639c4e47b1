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
from billing_app.ports.ledger import PaymentOrder
from billing_app.ports.operator_ledger import AdminContext
from tests.support.bill_files import bill_line, bill_text, ledger_to_bill
from tests.support.bills import APARTMENT
from tests.support.fake_bills import NOW
from tests.support.fakes import FakeUserDirectory


class AdminCli:
    """`billing-admin` on fakes, run from a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = ledger_to_bill()
        self.directory = FakeUserDirectory()

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
        resident = self.ledger.new_resident("Ada", APARTMENT)
        order = PaymentOrder(resident, "key", APARTMENT, tuple(self.ledger.bills), None)
        return self.ledger.pay(order).payment_id

    def _backend(self) -> Backend:
        context = AdminContext(self.ledger, self.directory, clock=lambda: NOW, new_id=uuid4)

        def ask(name: str, event: Mapping[str, Any]) -> Answer:
            if name == "migrate":
                return done({"applied": ["0001_schemas"], "repeated": [], "roles": []})
            return handle(name, event, context=context)

        return Backend(ask=ask, bills=self.ledger)

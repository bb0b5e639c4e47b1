"""What operators do, for tools: one call an operation, by whatever way the service is reached."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from billing_app.admin.formatting import plain
from billing_app.admin.operations import handle
from billing_app.bootstrap import Adapters
from billing_app.domain.bill_lines import EXAMPLE_LINE
from tools.local.clients import Clients
from tools.local.cloud import Cloud

Data = dict[str, Any]
Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class OperatorError(Exception):
    """An operation was not done; `answer` is what the service said."""

    def __init__(self, operation: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{operation} was answered {answer['code']}: {answer['message']}")
        self.answer = answer


class OperatorClient:
    """An operator of the service.

    Args:
        ask: Sends an operation's name and its event, and returns the answer: the use cases in this
            process (see `local_operator`), or deployed functions that are invoked.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def do(self, operation: str, event: Mapping[str, Any], *, unless: Sequence[str] = ()) -> Data:
        """Do an operation and return the data of its answer.

        A rejection whose code is in `unless` means that it was done before.

        Raises:
            OperatorError: It was not done.
        """
        answer = self._ask(operation, event)
        if answer["status"] != "done" and answer["code"] not in unless:
            raise OperatorError(operation, answer)
        return dict(answer["data"] or {})

    def add_provider(self, provider_id: str, name: str) -> None:
        """Add a provider, or rename it."""
        self.do("add_provider", {"provider_id": provider_id, "name": name})

    def add_resident(self, username: str, name: str, password: str, **more: Any) -> Data:
        """Add a resident whose password works at once, unless they are there.

        `more` is `address` or `apartment_id`, and `since`.

        Returns:
            `subject` and `apartment_id`.
        """
        event = {
            "username": username,
            "name": name,
            "password": password,
            "permanent": True,
            **more,
        }
        return self.do("add_resident", event, unless=["resident_exists"])

    def add_apartment(self, address: str, apartment_id: str | None = None) -> str:
        """Add an apartment, unless its id is there, and return its id."""
        event = {"address": address, "apartment_id": apartment_id or str(uuid4())}
        self.do("add_apartment", event, unless=["apartment_exists"])
        return event["apartment_id"]

    def import_bills(self, lines: Sequence[Data], **file: Any) -> list[str]:
        """Issue bills as a file of their own; return their ids in the order of the lines.

        What a line does not say is as in the example of the operators' documentation.
        `file` is what identifies a file that may be there already: `import_id` and `sha256`. Bills
        that look alike are issued, since tools make many.
        """
        numbered = [
            {**plain(EXAMPLE_LINE), **line, "line": number}
            for number, line in enumerate(lines, start=2)
        ]
        made = {
            "import_id": str(uuid4()),
            "sha256": secrets.token_hex(32),
            "allow_duplicates": True,
            "lines": numbered,
        }
        found = {line["line"]: line for line in self.do("import_bills", made | file)["lines"]}
        return [str(found[line["line"]]["bill_id"]) for line in numbered]


def new_bill(apartment_id: str, provider_id: str, amount_minor: int) -> Data:
    """Return a line of an import: a gas bill of the month before the last, due in ten days."""
    today = datetime.now(UTC).date()
    return {
        "apartment_id": apartment_id,
        "provider_id": provider_id,
        "provider_reference": str(uuid4()),
        "period_from": (today - timedelta(days=60)).isoformat(),
        "period_to": (today - timedelta(days=31)).isoformat(),
        "due_on": (today + timedelta(days=10)).isoformat(),
        "amount_minor": amount_minor,
    }


def local_operator(cloud: Cloud) -> OperatorClient:
    """Return an operator of the local stack, who runs the use cases in this process."""
    clients = Clients(endpoint_url=cloud.aws_endpoint_url, region=cloud.region)
    operators = local_adapters(clients).operators(
        database_secret_id=f"{cloud.prefix}/database/operator", user_pool_id=cloud.user_pool_id
    )
    return OperatorClient(lambda name, event: handle(name, event, context=operators))


def local_adapters(clients: Clients) -> Adapters:
    """Return the product's adapters on the local stack."""
    by_name = {"cognito-idp": clients.cognito, "secretsmanager": clients.secrets}
    return Adapters(client=lambda name: by_name[name], application_name="operator")

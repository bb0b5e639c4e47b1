"""Operators of the deployed service: they invoke its functions."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from billing_app.admin.operations import function_event
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import DeployCheckError
from tools.local.lambda_events import scheduled_event

Json = dict[str, Any]
_FREE_SECONDS = 60.0
_PROVIDER = "north-gas"
AUDIT = {"reason": "deployment check", "operator": "deploy-check"}


@dataclass(frozen=True)
class Resident:
    """A resident who can log in, their `sub` and their apartment."""

    username: str
    password: str
    subject: str
    apartment_id: str


class OperatorClient:
    """Invokes the functions by their names in app.py."""

    def __init__(self, cloud: Cloud, function_names: Mapping[str, str]) -> None:
        self._lambda = cloud.client("lambda")
        self._names = function_names

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and return its answer.

        Raises:
            DeployCheckError: the function failed.
        """
        ran = self._invoke(FunctionName=self._names[function], Payload=json.dumps(event).encode())
        answer = json.loads(ran["Payload"].read())
        if ran.get("FunctionError"):
            raise DeployCheckError(f"{function} failed: {answer}")
        return answer

    def _invoke(self, **named: Any) -> Any:
        """Invoke when a copy is free: schedules use functions, too, of which one copy may run."""
        deadline = time.monotonic() + _FREE_SECONDS
        while True:
            try:
                return self._lambda.invoke(**named)
            except self._lambda.exceptions.TooManyRequestsException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def ask(self, operation: str, arguments: Mapping[str, Any]) -> Json:
        """Have an operation done and return the data of its answer.

        Raises:
            DeployCheckError: it was rejected or failed.
        """
        function, event = function_event(operation, arguments)
        answer: Json = self.invoke(function, event)
        if answer.get("status") != "done":
            raise DeployCheckError(f"{operation} answered {answer}")
        return dict(answer["data"])

    def sweep(self) -> Json:
        """Run the sweeper as its schedule does, and return its report."""
        event = scheduled_event(rule=self._names["sweep"], region=self._lambda.meta.region_name)
        report: Json = self.invoke("sweep", event)
        return report

    def add_provider(self) -> None:
        """Add the provider that bills name."""
        self.ask("add_provider", {"provider_id": _PROVIDER, "name": "Городской газ"})

    def add_resident(self, name: str = "Олена Коваленко") -> Resident:
        """Add a resident with a login that works at once, and an apartment."""
        username, password = f"resident-{uuid4().hex[:10]}", f"Aa1!{secrets.token_urlsafe(18)}"
        login = {"username": username, "name": name, "password": password, "permanent": True}
        made = self.ask("add_resident", {**login, "address": "Vulytsia Sadova 1, apt. 2"})
        return Resident(username, password, made["subject"], made["apartment_id"])

    def import_bills(self, resident: Resident, amounts_minor: Sequence[int]) -> list[str]:
        """Issue one gas bill per amount; return their ids."""
        data = self.ask("import_bills", bills_event(resident, amounts_minor))
        return [str(line["bill_id"]) for line in data["lines"]]

    def move_in_and_out(self, resident: Resident) -> None:
        """Give a resident a second apartment, bill it, void the bill and end the residency."""
        apartment_id = self.ask("add_apartment", {"address": "Vulytsia Sadova 3"})["apartment_id"]
        residency = {"username": resident.username, "apartment_id": apartment_id}
        self.ask("grant_residency", residency)
        [bill] = self.import_bills(replace(resident, apartment_id=apartment_id), [700])
        self.ask("void_bill", {"bill_id": bill, **AUDIT})
        self.ask("end_residency", residency)


def bills_event(resident: Resident, amounts_minor: Sequence[int]) -> Json:
    """Return an import of new bills."""
    lines = [
        {
            "line": number,
            "apartment_id": resident.apartment_id,
            "utility": "gas",
            "provider_id": _PROVIDER,
            "provider_reference": str(uuid4()),
            "period_from": "2026-10-01",
            "period_to": "2026-10-31",
            "due_on": "2026-11-15",
            "amount_minor": amount,
            "currency": "EUR",
        }
        for number, amount in enumerate(amounts_minor, start=2)
    ]
    return {"import_id": str(uuid4()), "sha256": secrets.token_hex(32), "lines": lines}

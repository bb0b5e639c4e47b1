"""Seeds demo residents and two years of bills through the operators' use cases."""

from __future__ import annotations

import secrets
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from billing_app.adapters.ledger import PostgresLedger
from billing_app.domain.errors import Rejection
from billing_app.ports.ledger import PaymentOrder
from tools.local.clients import Clients
from tools.local.cloud import Cloud
from tools.local.demo_data import (
    APARTMENTS,
    MONTHS,
    PROVIDERS,
    RESIDENTS,
    Apartment,
    apartment_ids,
    bills_of,
    import_of,
    is_paid_by_now,
)
from tools.local.errors import LocalStackError
from tools.local.files import read_json, write_private_json
from tools.operator_client import OperatorClient, OperatorError, local_adapters, local_operator


def ensure_demo(state: Path, cloud: Cloud, clients: Clients) -> dict[str, Any]:
    """Make the demo's residents and bills unless they are there, and write `demo.json`.

    Returns:
        The content of the file.

    Raises:
        LocalStackError: The service rejects something.
    """
    file = state / "demo.json"
    kept: dict[str, Any] = read_json(file) or {"residents": []}
    known = {resident["username"]: resident["password"] for resident in kept["residents"]}
    passwords = {r.username: known.get(r.username) or _new_password() for r in RESIDENTS}
    residents = [
        {
            "username": resident.username,
            "password": passwords[resident.username],
            "name": resident.name,
            "apartments": apartment_ids(resident),
        }
        for resident in RESIDENTS
    ]
    demo = {"api": cloud.api, "residents": residents, "complete": kept.get("complete", False)}
    # Before anybody is added: an interrupted start must not forget the passwords that it gave.
    write_private_json(file, demo)
    writer = local_adapters(clients).database(f"{cloud.prefix}/database/writer")
    try:
        _fill(local_operator(cloud), PostgresLedger(writer), demo)
    except (OperatorError, Rejection) as error:
        raise LocalStackError(f"The demo data were rejected: {error}") from error
    demo["complete"] = True
    write_private_json(file, demo)
    return demo


def _new_password() -> str:
    """Make a password that the pool takes and nobody guesses: any process here can try some."""
    return f"Demo-1-{secrets.token_hex(8)}"


def _fill(operator: OperatorClient, ledger: PostgresLedger, demo: dict[str, Any]) -> None:
    subjects: dict[str, UUID] = {}
    is_new = False
    for resident in demo["residents"]:
        names = (resident[field] for field in ("username", "name", "password"))
        data = operator.add_resident(*names)
        is_new = is_new or bool(data["made"])
        subjects[resident["username"]] = UUID(data["subject"])
    if demo["complete"] and not is_new:
        return
    today = datetime.now(UTC).date()
    since = datetime.combine(today - timedelta(days=31 * (MONTHS + 1)), time(), UTC).isoformat()
    for provider_id, name in PROVIDERS.items():
        operator.add_provider(provider_id, name)
    for apartment in APARTMENTS:
        operator.add_apartment(apartment.address, apartment.apartment_id)
        paid = _issue(operator, apartment, today)
        residents = [r.username for r in RESIDENTS if apartment.key in r.apartments]
        for username in residents:
            residency = {"username": username, "apartment_id": apartment.apartment_id}
            event = {**residency, "since": since}
            operator.do("grant_residency", event, unless=["residency_exists"])
        _pay(ledger, apartment, paid, [subjects[username] for username in residents])


def _issue(operator: OperatorClient, apartment: Apartment, today: date) -> dict[str, list[UUID]]:
    """Issue an apartment's bills; return the ids of those to be paid, by month."""
    bills = bills_of(apartment, today)
    ids = operator.import_bills(bills, **import_of(apartment, bills))
    months: dict[str, list[UUID]] = defaultdict(list)
    for bill, bill_id in zip(bills, ids, strict=True):
        if is_paid_by_now(bill, today):
            months[bill["period_from"]].append(UUID(bill_id))
    return months


def _pay(
    ledger: PostgresLedger, apartment: Apartment, paid: dict[str, list[UUID]], payers: list[UUID]
) -> None:
    """Pay each month's bills at once; residents who share an apartment take turns."""
    for turn, (month, bills) in enumerate(sorted(paid.items())):
        payer, key = payers[turn % len(payers)], f"demo-{apartment.key}-{month}"
        ledger.pay(PaymentOrder(payer, key, UUID(apartment.apartment_id), tuple(bills), None))

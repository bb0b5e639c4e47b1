"""Gives a new service residents with two years of bills, through the doors that operators use."""

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import Json

from tools.local.clients import Clients
from tools.local.cloud import Cloud
from tools.local.demo_data import (
    APARTMENTS,
    MONTHS,
    PROVIDERS,
    RESIDENTS,
    Apartment,
    Resident,
    apartment_ids,
    import_of,
    is_paid_by_now,
)
from tools.local.errors import LocalCloudError
from tools.local.files import read_json, write_private_json
from tools.local.service import service

# What it means that an earlier start was interrupted here; then there is nothing to do.
_DONE_BEFORE = ("resident_exists", "apartment_exists", "residency_exists")


def ensure_demo(state: Path, cloud: Cloud, clients: Clients) -> dict[str, Any]:
    """Make the demo's residents and bills unless they are there, and write ``demo.json``.

    Returns the file's content. Raises LocalCloudError when the service rejects something.
    """
    file = state / "demo.json"
    kept: dict[str, Any] = read_json(file) or {"residents": []}
    known = {resident["username"]: resident["password"] for resident in kept["residents"]}
    passwords = {r.username: known.get(r.username) or _new_password() for r in RESIDENTS}
    subjects = {
        r.username: ensure_user(
            clients,
            cloud.user_pool_id,
            r,
            password=passwords[r.username],
            known=r.username in known,
        )
        for r in RESIDENTS
    }
    if not kept["residents"] or not _all_known(clients, cloud, subjects):
        _fill_books(clients, cloud, subjects)
    demo = {"api": cloud.api, "residents": [_entry(r, passwords) for r in RESIDENTS]}
    write_private_json(file, demo)
    return demo


def _entry(resident: Resident, passwords: dict[str, str]) -> dict[str, Any]:
    return {
        "username": resident.username,
        "password": passwords[resident.username],
        "name": resident.name,
        "apartments": apartment_ids(resident),
    }


def _new_password() -> str:
    """Make a password that the pool takes, no longer than need be: people type it."""
    digits = service().logins.password_minimum_length - len("Demo-1-")
    return f"Demo-1-{secrets.token_hex(digits)[:digits]}"


def ensure_user(
    clients: Clients, pool: str, resident: Resident, *, password: str, known: bool
) -> str:
    """Return the ``sub`` of the resident's user, who is created if there is none.

    ``known``: somebody was told this password before, so it is not set again. Else it is, also for
    a user whom an interrupted start has left.
    """
    cognito = clients.cognito
    user: Any = {"UserPoolId": pool, "Username": resident.username}
    try:
        found = cognito.admin_get_user(**user)
    except cognito.exceptions.UserNotFoundException:
        attributes: Any = [{"Name": "name", "Value": resident.name}]
        cognito.admin_create_user(**user, UserAttributes=attributes, MessageAction="SUPPRESS")
        found, known = cognito.admin_get_user(**user), False
    if not known:
        cognito.admin_set_user_password(**user, Password=password, Permanent=True)
    attribute_values = {a["Name"]: a.get("Value", "") for a in found["UserAttributes"]}
    return attribute_values["sub"]


def _all_known(clients: Clients, cloud: Cloud, subjects: dict[str, str]) -> bool:
    """Tell whether the books know everybody already."""
    with _ledger(clients, cloud, "reader") as ledger:
        return all(ledger("resident_account", sub) is not None for sub in subjects.values())


def _fill_books(clients: Clients, cloud: Cloud, subjects: dict[str, str]) -> None:
    today = datetime.now(UTC).date()
    with (
        _ledger(clients, cloud, "operator") as operator,
        _ledger(clients, cloud, "writer") as ledger,
    ):
        _move_in(operator, subjects, today)
        for apartment in APARTMENTS:
            paid = _issue(operator, apartment, today)
            _pay(ledger, apartment, paid, _payers(apartment, subjects))


def _move_in(ledger: "Ledger", subjects: dict[str, str], today: date) -> None:
    since = today - timedelta(days=31 * (MONTHS + 1))
    for provider_id, name in PROVIDERS.items():
        ledger.must("add_provider", provider_id, name)
    for apartment in APARTMENTS:
        ledger.must("add_apartment", apartment.apartment_id, apartment.address)
    for resident in RESIDENTS:
        subject = subjects[resident.username]
        ledger.must("add_resident", subject, resident.name)
        for apartment_id in apartment_ids(resident):
            ledger.must("grant_residency", subject, apartment_id, since)


def _issue(ledger: "Ledger", apartment: Apartment, today: date) -> dict[str, list[str]]:
    """Issue an apartment's bills; return the ids of those to be paid, by month."""
    bills = import_of(apartment, today)
    answer = ledger.must("issue_bills", Json(bills))
    ids = {line["line"]: line["bill_id"] for line in answer["data"]["lines"]}
    months: dict[str, list[str]] = defaultdict(list)
    for line in bills["lines"]:
        if is_paid_by_now(line, today):
            months[line["period_from"]].append(ids[line["line"]])
    return months


def _payers(apartment: Apartment, subjects: dict[str, str]) -> list[str]:
    return [subjects[r.username] for r in RESIDENTS if apartment.key in r.apartments]


def _pay(
    ledger: "Ledger", apartment: Apartment, paid: dict[str, list[str]], payers: list[str]
) -> None:
    """Pay each month's bills at once; residents who share an apartment take turns."""
    for turn, (month, bills) in enumerate(sorted(paid.items())):
        payer = payers[turn % len(payers)]
        key = f"demo-{apartment.key}-{month}"
        ledger.must("pay", payer, key, apartment.apartment_id, bills, None)


class Ledger:
    """Functions of the schema ``api``, called as one of the database's roles."""

    # Postgres can't tell the type of these parameters from how psycopg2 writes them.
    _CASTS = {  # noqa: RUF012  (a constant table)
        "pay": "uuid, text, uuid, uuid[], bigint",
        "add_resident": "uuid, text",
        "add_apartment": "uuid, text",
        "add_provider": "text, text",
        "grant_residency": "uuid, uuid, timestamptz",
        "issue_bills": "jsonb",
        "resident_account": "uuid",
    }

    def __init__(self, connection: "psycopg2.extensions.connection") -> None:
        self._connection = connection

    def __call__(self, function: str, *arguments: Any) -> Any:
        """Call the function and return its answer."""
        casts = self._CASTS[function].split(", ")
        parameters = ", ".join(f"%s::{cast}" for cast in casts)
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT api.{function}({parameters})", arguments)
            row = cursor.fetchone()
        return row[0] if row else None

    def must(self, function: str, *arguments: Any) -> dict[str, Any]:
        """Call it. Raises LocalCloudError when it rejects, unless since it was done before."""
        answer: dict[str, Any] = self(function, *arguments)
        if answer["status"] != "done" and answer.get("code") not in _DONE_BEFORE:
            raise LocalCloudError(f"The demo data were rejected: {function}: {answer}")
        return answer


@contextmanager
def _ledger(clients: Clients, cloud: Cloud, role: str) -> Iterator[Ledger]:
    name = f"{cloud.prefix}/database/{role}"
    secret = json.loads(clients.secrets.get_secret_value(SecretId=name)["SecretString"])
    connection = psycopg2.connect(
        user=secret["username"],
        password=secret["password"],
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        sslmode=secret["sslmode"],
    )
    connection.autocommit = True
    try:
        yield Ledger(connection)
    finally:
        connection.close()

"""Each identifier of each route, tried by somebody whose it is not.

Routes and identifiers come from the contract document: a new one without a case fails here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.hostile.routes import LEFT_OUT, Ask, Route, routes
from tests.support.api import Caller, Environment, Json, Resident, wait_until

# Not names of anything: a number, a proof, a wish.
NAME_NOTHING = {"wait_seconds", "password", "new_password", "expected_total_minor"}
# What somebody is told who uses what is another's: operation and identifier to status and code.
TOLD: Mapping[tuple[str, str], tuple[str, str | None]] = {
    ("auth", "queue_name"): ("rejected", "invalid_credentials"),
    ("auth", "username"): ("rejected", "invalid_credentials"),
    ("auth", "refresh_token"): ("rejected", "session_expired"),
    ("utils", "apartment_id"): ("rejected", "apartment_not_found"),
    ("utils", "queue_name"): ("done", None),
    ("payments", "apartment_id"): ("rejected", "apartment_not_found"),
    ("payments", "bills_id"): ("rejected", "bill_not_found"),
    # A key is its resident's own: another's is as good as any, and pays what Eve asked for.
    ("payments", "Idempotency-Key"): ("done", None),
    ("payments", "queue_name"): ("done", None),
    ("histories", "apartment_id"): ("rejected", "apartment_not_found"),
    ("histories", "cursor"): ("rejected", "invalid_cursor"),
    ("histories", "date_down"): ("rejected", "history_frame_unknown"),
    ("histories", "date_up"): ("rejected", "history_frame_unknown"),
    ("histories", "queue_name"): ("done", None),
}
CASES = [
    pytest.param(route, identifier, id=f"{route} {identifier}")
    for route in routes()
    for identifier in sorted(route.identifiers - NAME_NOTHING)
]


@dataclass(frozen=True)
class Ada:
    """Whose things are tried: she has paid, owes, holds a history and has replies waiting."""

    env: Environment
    resident: Resident
    values: Mapping[str, Any]
    secrets: frozenset[str]

    def state(self) -> Json:
        """Return what nobody else may change."""
        home = self.resident.home
        return {
            "open": self.env.ledger.open_bills(home),
            "version": self.env.ledger.version(home),
            "history": self.env.ledger.history(home)["last_seq"],
            "replies": waiting(self.env, self.resident),
        }


def waiting(env: Environment, resident: Resident) -> int:
    """Count the replies in a resident's queue, those that were just read too."""
    cloud, sqs = env.stack.cloud, env.stack.clients.sqs
    subject, name = resident.home.subject.hex, resident.caller.queue_name.replace("-", "")
    url = sqs.get_queue_url(QueueName=f"{cloud.prefix}-r-{subject}-{name}")["QueueUrl"]
    counts: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    return sum(int(counts[name]) for name in names)


@pytest.fixture(scope="module")
def ada(stage: Environment) -> Ada:
    """Give Ada, with two replies that she has read and not deleted."""
    resident = stage.resident("Ада Секретная")
    home, caller = resident.home.apartment, resident.caller
    paid, owed, key = stage.ledger.bill(resident.home), stage.ledger.bill(resident.home), uuid4()
    receipt = caller.pay(home, paid, key=str(key))["data"]
    nothing = {"date_up": None, "date_down": None}
    history = caller.ask(f"/apartments/{home}/histories", nothing)["data"]
    for operation, body in (("utils", {}), ("histories", nothing)):
        assert caller.post(f"/apartments/{home}/{operation}", body).status_code == 202
    values = {
        "apartment_id": home,
        "queue_name": caller.queue_name,
        "receipt": caller.awaited(f"/apartments/{home}/utils/{caller.queue_name}")[0]["receipt"],
        "Idempotency-Key": str(key),
        "bills_id": [owed],
        "cursor": history["cursor"],
        "username": resident.username,
        # A refresh token is a secret, not a name; what stands in its place must be one.
        "refresh_token": caller.token,
        **history["covered"],
    }
    wait_until(lambda: waiting(stage, resident) >= 2, "the second reply")
    secrets = {paid, owed, receipt["payment_id"], receipt["receipt_number"], "Ада Секретная"}
    return Ada(stage, resident, values, frozenset(secrets))


@pytest.fixture(scope="module")
def eve(stage: Environment) -> Resident:
    """Give somebody with a login and an apartment of her own, and a history in it."""
    resident = stage.resident("Eve")
    resident.caller.pay(resident.home.apartment, stage.ledger.bill(resident.home))
    return resident


@pytest.fixture(scope="module")
def mallory(stage: Environment) -> Resident:
    """Give somebody else, who has used nothing yet."""
    return stage.resident("Mallory")


def asked(ada: Ada, eve: Resident, route: Route, identifiers: list[str]) -> Ask:
    """Make Eve's own request, with Ada's values under some names."""
    theirs = {name: ada.values[name] for name in identifiers}
    own = Ask(route, apartment=eve.home.apartment, headers=eve.caller.headers)
    if route.method == "POST":
        return own.but(
            apartment=theirs.pop("apartment_id", own.apartment),
            queue_name=theirs.pop("queue_name", own.queue_name),
            headers={**own.headers, **_headers(theirs)},
            body=_body(ada, eve, route, theirs),
        )
    return own.but(
        apartment=theirs.get("apartment_id", own.apartment),
        queue_name=theirs.get("queue_name", own.queue_name),
        receipt=theirs.get("receipt", own.receipt),
    )


def _headers(theirs: dict[str, Any]) -> dict[str, str]:
    key = theirs.pop("Idempotency-Key", None)
    return {"Idempotency-Key": key} if key else {}


def _body(ada: Ada, eve: Resident, route: Route, theirs: dict[str, Any]) -> Json:
    body: Json = dict(theirs)
    if "refresh_token" in theirs:
        # The other ways to log in are left out, and the usual body has them.
        return {"username": LEFT_OUT, "password": LEFT_OUT, **body}
    if {"date_up", "date_down"} & set(theirs):
        body |= {name: ada.values[name] for name in ("date_up", "date_down")}
    if route.path.endswith("payments"):
        body.setdefault("bills_id", [ada.env.ledger.bill(eve.home)])
    return body


@pytest.mark.parametrize(("route", "identifier"), CASES)
def test_what_is_anothers_helps_nobody(
    ada: Ada, eve: Resident, route: Route, identifier: str
) -> None:
    before, ask = ada.state(), asked(ada, eve, route, [identifier])
    answer = ask.send(ada.env.http)
    expected = TOLD.get((route.path.rpartition("/")[2], identifier))
    assert leaked(ada, ask, see(ada, eve, route, answer, expected)) == set()
    assert ada.state() == before


@pytest.mark.parametrize("route", [one for one in routes() if one.secured], ids=str)
def test_all_that_is_anothers_together_helps_nobody_without_her_token(
    ada: Ada, mallory: Resident, route: Route
) -> None:
    before, ask = ada.state(), asked(ada, mallory, route, sorted(route.identifiers - NAME_NOTHING))
    answer = ask.send(ada.env.http)
    expected = ("rejected", "apartment_not_found")
    assert leaked(ada, ask, see(ada, mallory, route, answer, expected)) == set()
    assert ada.state() == before


def see(ada: Ada, who: Resident, route: Route, answer: Any, expected: Any) -> str:
    """Check what is answered and return all that was shown."""
    assert answer.status_code < 500, answer.text
    if route.method == "GET":
        assert answer.json() == {"replies": []}
    if route.method != "POST":
        return str(answer.text)
    reply = told(ada, who, route, answer)
    assert (reply["status"], reply["code"]) == expected
    return f"{answer.text} {reply}"


def leaked(ada: Ada, ask: Ask, shown: str) -> set[str]:
    """Find what is Ada's in what was shown, but for what the request itself had said."""
    return {secret for secret in ada.secrets if secret in shown and secret not in str(ask)}


def told(ada: Ada, eve: Resident, route: Route, answer: Any) -> Json:
    """Return the reply that Eve finds to her request in a queue of her own."""
    assert answer.status_code == 202, answer.text
    token = eve.caller.token if route.secured else None
    [reply] = Caller(ada.env.http, token).parts(answer)
    return reply


def test_each_identifier_has_its_case() -> None:
    operations = {(r.path.rpartition("/")[2], r) for r in routes() if r.method == "POST"}
    named = {(name, one) for name, r in operations for one in r.identifiers - NAME_NOTHING}
    assert named == set(TOLD)
    others = {one for r in routes() if r.method != "POST" for one in r.identifiers}
    assert others - NAME_NOTHING == {"apartment_id", "queue_name", "receipt"}

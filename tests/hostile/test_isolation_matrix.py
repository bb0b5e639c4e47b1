"""Each identifier of each route, tried by somebody whose it is not.

Routes and identifiers come from the contract document: a new one fails here until Ada has a value
of it, which must then be rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import httpx
import pytest

from tests.hostile.routes import BODIES, Route, routes
from tests.support.api import Caller, Environment, Json, Resident, wait_until

# Not names of anything: a number, a proof, a wish.
NAME_NOTHING = {
    "wait_seconds",
    "password",
    "new_password",
    "expected_total_minor",
    "asked_seconds_ago",
}
# With which code somebody is rejected who uses what is another's; one that isn't here, with any.
CODES: Mapping[str, str] = {
    "username": "invalid_credentials",
    "refresh_token": "session_expired",
    "apartment_id": "apartment_not_found",
    "bills_id": "bill_not_found",
    "cursor": "invalid_cursor",
    "date_down": "history_frame_unknown",
    "date_up": "history_frame_unknown",
}
# Names that residents choose for themselves: another's is as good as any, and changes nothing.
ONES_OWN = {"queue_name", "Idempotency-Key"}
CASES = [
    (route, identifier)
    for route in routes()
    for identifier in sorted({*route.places()} - NAME_NOTHING)
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
            "history": self.env.ledger.history(home)["last_posted_at"],
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
    history = caller.ask(f"/apartments/{home}/histories", BODIES["histories"])["data"]
    for operation in ("utils", "histories"):
        accepted = caller.post(f"/apartments/{home}/{operation}", BODIES[operation])
        assert accepted.status_code == 202
    values = {
        **receipt,
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


def tried(ada: Ada, who: Resident, route: Route, identifiers: set[str]) -> Json:
    """Make somebody's own request, with Ada's values under some names."""
    values = route.usual(apartment_id=who.home.apartment)
    if route.operation == "payments":
        values["bills_id"] = [ada.env.ledger.bill(who.home)]
    if "refresh_token" in identifiers:
        # It stands in place of the other ways to log in.
        del values["username"], values["password"]
    if identifiers & {"date_up", "date_down"}:
        identifiers = identifiers | {"date_up", "date_down"}
    return values | {name: ada.values[name] for name in identifiers}


def helps_nobody(
    ada: Ada, who: Resident, route: Route, identifiers: set[str], expected: Any
) -> None:
    """Try Ada's identifiers: the answer is the expected one, says nothing, changes nothing."""
    before, values = ada.state(), tried(ada, who, route, identifiers)
    answer = route.send(ada.env.http, values, who.caller.headers)
    assert answer.status_code < 500, answer.text
    shown = answer.text
    if route.method == "GET":
        assert answer.json() == {"replies": []}
    if route.method == "POST":
        reply = told(ada, who, route, answer)
        assert (reply["status"], reply["code"]) == expected
        shown += str(reply)
    # What the request itself said may be repeated.
    assert [one for one in ada.secrets if one in shown and one not in str(values)] == []
    assert ada.state() == before


def told(ada: Ada, who: Resident, route: Route, answer: httpx.Response) -> Json:
    """Return the reply that somebody finds to their request in a queue of their own."""
    token = who.caller.token if route.secured else None
    [reply] = Caller(ada.env.http, token).parts(answer)
    return reply


@pytest.mark.parametrize(("route", "identifier"), CASES, ids=str)
def test_what_is_anothers_helps_nobody(
    ada: Ada, eve: Resident, route: Route, identifier: str
) -> None:
    expected: tuple[str, Any] = ("rejected", CODES.get(identifier, ANY))
    if identifier in ONES_OWN and route.method == "POST":
        own = route.send(ada.env.http, tried(ada, eve, route, set()), eve.caller.headers)
        reply = told(ada, eve, route, own)
        expected = (reply["status"], reply["code"])
    helps_nobody(ada, eve, route, {identifier}, expected)


@pytest.mark.parametrize("route", [one for one in routes() if one.secured], ids=str)
def test_all_that_is_anothers_together_helps_nobody_without_her_token(
    ada: Ada, mallory: Resident, route: Route
) -> None:
    identifiers = {*route.places()} - NAME_NOTHING
    helps_nobody(ada, mallory, route, identifiers, ("rejected", "apartment_not_found"))


def test_each_identifier_has_its_case(ada: Ada) -> None:
    named = {one for route, one in CASES if route.method == "POST"}
    assert {*ada.values} >= named >= {*CODES, *ONES_OWN}
    others = {one for route, one in CASES if route.method != "POST"}
    assert others == {"apartment_id", "queue_name", "receipt"}

"""Reply queues when tokens are swapped and names are shared, and an apartment of two."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.hostile.routes import BODIES
from tests.support.api import PASSWORD, Caller, Environment, Json, Resident


@pytest.fixture(scope="module")
def ada(stage: Environment) -> Resident:
    """Give somebody whose name of a queue everybody knows."""
    return stage.resident()


@pytest.fixture(scope="module")
def eve(stage: Environment) -> Resident:
    """Give somebody else."""
    return stage.resident("Eve")


def debts(caller: Caller, resident: Resident) -> httpx.Response:
    """Ask for a resident's debts and see that it is accepted."""
    answer = caller.post(f"/apartments/{resident.home.apartment}/utils", {})
    assert answer.status_code == 202
    return answer


def under_the_name_of(caller: Caller, other: Caller) -> Caller:
    """Keep the token and take the other's queue_name."""
    return Caller(caller.http, caller.token, queue_name=other.queue_name)


def test_two_residents_under_one_queue_name_get_each_their_own_replies(
    stage: Environment, ada: Resident, eve: Resident
) -> None:
    swapped = under_the_name_of(eve.caller, ada.caller)
    accepted = debts(ada.caller, ada)
    poll = accepted.json()["poll"]
    assert swapped.poll(poll, seconds=2) == []
    [reply] = ada.caller.awaited(poll)
    refused = debts(swapped, ada)
    assert swapped.parts(refused)[0]["code"] == "apartment_not_found"
    assert ada.caller.poll(poll, seconds=0) == []
    # The receipt is not good in a queue of that name that is another's.
    stolen = {"receipt": reply["receipt"]}
    rejected = stage.http.delete(poll, headers=swapped.headers, params=stolen)
    assert (rejected.status_code, rejected.json()["code"]) == (400, "invalid_receipt")
    # Still hers to take away, also after a new login on a device that kept the name: a reply that
    # is gone has no receipt that is good.
    again = under_the_name_of(stage.signed_in(ada.username), ada.caller)
    again.acknowledge(poll, reply)


def test_two_logins_under_one_name_are_told_apart_by_their_requests(
    stage: Environment, ada: Resident, eve: Resident
) -> None:
    shared = stage.caller()
    logins = [{"username": one.username, "password": PASSWORD} for one in (ada, eve)]
    accepted = [shared.post("/auth", login).json() for login in logins]
    replies: dict[str, Json] = {}
    while len(replies) < 2:
        found = shared.poll(accepted[0]["poll"], seconds=5)
        replies |= {reply["request_id"]: reply for reply in found}
    assert set(replies) == {one["request_id"] for one in accepted}


def test_neighbours_in_one_apartment_see_its_ledger_and_not_each_others_answers(
    stage: Environment,
) -> None:
    ada, ben = stage.resident(), stage.resident("Ben")
    home = ada.home.apartment
    stage.ledger.grant(ben.home.subject, home)
    bill, key = stage.ledger.bill(ada.home), str(uuid4())
    receipt = ada.caller.pay(home, bill, key=key)
    # The key is Ada's: for Ben it is a new one, and the bill is paid.
    answer = ben.caller.pay(home, bill, key=key)
    assert (receipt["status"], answer["code"]) == ("done", "bill_already_paid")
    history = ben.caller.ask(f"/apartments/{home}/histories", BODIES["histories"])
    assert {event["bill_id"] for event in history["data"]["settled_debts"]} == {bill}

"""Reply queues when tokens are swapped, names are guessed or shared, and people come and go."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote
from uuid import UUID, uuid4

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
    # Still hers to take away: a reply that is gone has no receipt that is good.
    ada.caller.acknowledge(poll, reply)


GUESSES: list[Callable[[Resident], str]] = [
    lambda ada: ada.caller.queue_name.upper(),
    lambda ada: ada.caller.queue_name.replace("-", ""),
    lambda ada: f"{ada.home.subject}-{ada.caller.queue_name}",
    lambda ada: f"{ada.home.subject.hex}-{UUID(ada.caller.queue_name).hex}",
    lambda ada: quote(f"../{ada.home.subject.hex}-{UUID(ada.caller.queue_name).hex}", safe=""),
    lambda ada: quote(f"{ada.caller.queue_name}&QueueUrl=x", safe=""),
    lambda ada: quote(f"{ada.caller.queue_name}\n", safe=""),
    lambda _: "login",
    lambda _: "*",
    lambda _: "%2e%2e",
]


@pytest.mark.parametrize("path", ["/auth/{}", "/apartments/x/utils/{}"])
def test_no_spelling_of_a_queue_name_leads_to_anothers_replies(
    stage: Environment, eve: Resident, path: str
) -> None:
    ada = stage.resident()
    ada.caller.parts(debts(ada.caller, ada))
    unread = debts(ada.caller, ada)
    for guess in GUESSES:
        answer = stage.http.get(
            path.format(guess(ada)), headers=eve.caller.headers, params={"wait_seconds": "0"}
        )
        assert (answer.status_code, answer.json()) == (200, {"replies": []})
    assert ada.caller.parts(unread)[0]["status"] == "done"


def test_after_a_logout_the_next_user_of_a_device_reads_nothing_of_the_last(
    stage: Environment, eve: Resident
) -> None:
    ada = stage.resident()
    accepted = debts(ada.caller, ada)
    # The same client on the same device keeps its queue_name, and Eve logs in.
    next_user = under_the_name_of(stage.signed_in(eve.username), ada.caller)
    assert next_user.poll(accepted.json()["poll"], seconds=2) == []
    assert next_user.parts(debts(next_user, eve))[0]["status"] == "done"
    # Ada comes back with a new token and finds what she left.
    again = under_the_name_of(stage.signed_in(ada.username), ada.caller)
    assert again.parts(accepted)[0]["status"] == "done"


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

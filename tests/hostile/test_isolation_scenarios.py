"""Reply queues when tokens are swapped, names are guessed or shared, and people come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support.api import Caller, Environment, Json, Resident

NOTHING_HELD: Json = {"date_up": None, "date_down": None}


def debts(caller: Caller, resident: Resident) -> httpx.Response:
    """Ask for a resident's debts and see that it is accepted."""
    answer = caller.post(f"/apartments/{resident.home.apartment}/utils", {})
    assert answer.status_code == 202
    return answer


def as_somebody_else(caller: Caller, other: Caller) -> Caller:
    """Keep the queue_name and take the other's token."""
    return Caller(caller.http, other.token, queue_name=caller.queue_name)


def test_who_asked_gets_the_reply_though_another_token_polls_meanwhile(stage: Environment) -> None:
    ada, eve = stage.resident(), stage.resident("Eve")
    accepted = debts(ada.caller, ada)
    swapped = as_somebody_else(ada.caller, eve.caller)
    assert swapped.poll(accepted.json()["poll"], seconds=2) == []
    assert ada.caller.parts(accepted)[0]["status"] == "done"


def test_a_request_with_anothers_token_is_answered_to_the_token(stage: Environment) -> None:
    ada, eve = stage.resident(), stage.resident("Eve")
    swapped = as_somebody_else(ada.caller, eve.caller)
    accepted = debts(swapped, ada)
    assert ada.caller.poll(accepted.json()["poll"], seconds=2) == []
    assert swapped.parts(accepted)[0]["code"] == "apartment_not_found"


def test_a_reply_is_not_deleted_by_another_who_has_its_receipt_and_a_queue_of_that_name(
    stage: Environment,
) -> None:
    ada, eve = stage.resident(), stage.resident("Eve")
    swapped = as_somebody_else(ada.caller, eve.caller)
    swapped.parts(debts(swapped, eve))
    accepted = debts(ada.caller, ada)
    [reply] = ada.caller.awaited(accepted.json()["poll"])
    target = accepted.json()["poll"]
    stolen = {"receipt": reply["receipt"]}
    rejected = stage.http.delete(target, headers=swapped.headers, params=stolen)
    assert (rejected.status_code, rejected.json()["code"]) == (400, "invalid_receipt")
    # Still hers to take away: a reply that is gone has no receipt that is good.
    ada.caller.acknowledge(target, reply)


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


@pytest.mark.parametrize("guess", range(len(GUESSES)))
@pytest.mark.parametrize("path", ["/auth/{}", "/apartments/x/utils/{}"])
def test_no_spelling_of_a_queue_name_leads_to_anothers_replies(
    stage: Environment, waiting: Resident, eve: Resident, path: str, guess: int
) -> None:
    target = path.format(GUESSES[guess](waiting))
    answer = stage.http.get(target, headers=eve.caller.headers, params={"wait_seconds": "0"})
    assert (answer.status_code, answer.json()) == (200, {"replies": []})


@pytest.fixture(scope="module")
def waiting(stage: Environment) -> Resident:
    """Give somebody whose reply lies in her queue, unread for the whole file."""
    ada = stage.resident()
    first = debts(ada.caller, ada)
    ada.caller.parts(first)
    debts(ada.caller, ada)
    return ada


@pytest.fixture(scope="module")
def eve(stage: Environment) -> Resident:
    """Give somebody who guesses."""
    return stage.resident("Eve")


def test_after_a_logout_the_next_user_of_a_device_reads_nothing_of_the_last(
    stage: Environment,
) -> None:
    ada, eve = stage.resident(), stage.resident("Eve")
    accepted = debts(ada.caller, ada)
    # The same client on the same device keeps its queue_name, and Eve logs in.
    next_user = as_somebody_else(ada.caller, stage.signed_in(eve.username))
    assert next_user.poll(accepted.json()["poll"], seconds=2) == []
    assert next_user.parts(debts(next_user, eve))[0]["status"] == "done"
    # Ada comes back with a new token and finds what she left.
    again = as_somebody_else(ada.caller, stage.signed_in(ada.username))
    assert again.parts(accepted)[0]["status"] == "done"


def test_two_devices_of_one_resident_share_a_queue_or_don_t_as_they_choose(
    stage: Environment,
) -> None:
    ada = stage.resident()
    phone, tablet = ada.caller, stage.signed_in(ada.username)
    accepted = debts(phone, ada)
    own = f"/apartments/{ada.home.apartment}/utils/{tablet.queue_name}"
    assert tablet.poll(own, seconds=0) == []
    shared = as_somebody_else(phone, tablet)
    assert shared.parts(accepted)[0]["request_id"] == accepted.json()["request_id"]
    assert phone.poll(accepted.json()["poll"], seconds=0) == []


def test_two_logins_under_one_name_are_told_apart_by_their_requests(stage: Environment) -> None:
    ada, eve = stage.resident(), stage.resident("Eve")
    shared, secret = stage.caller(), {"password": "Example-Passw0rd-1"}
    accepted = [shared.post("/auth", {"username": one.username, **secret}) for one in (ada, eve)]
    replies: dict[str, Json] = {}
    while len(replies) < 2:
        found = shared.poll(accepted[0].json()["poll"], seconds=5)
        replies |= {reply["request_id"]: reply for reply in found}
    tokens = {one.json()["request_id"] for one in accepted}
    assert set(replies) == tokens


def test_neighbours_in_one_apartment_see_its_ledger_and_not_each_others_answers(
    stage: Environment,
) -> None:
    ada, ben = stage.resident(), stage.resident("Ben")
    stage.ledger.grant(ben.home.subject, ada.home.apartment)
    bill, key = stage.ledger.bill(ada.home), str(uuid4())
    accepted = _pay(ada.caller, ada, bill, key)
    assert as_somebody_else(ada.caller, ben.caller).poll(accepted.json()["poll"], seconds=2) == []
    receipt = ada.caller.parts(accepted)[0]
    # The key is Ada's: for Ben it is a new one, and the bill is paid.
    answer = ben.caller.parts(_pay(ben.caller, ada, bill, key))[0]
    assert (receipt["status"], answer["code"]) == ("done", "bill_already_paid")
    history = ben.caller.ask(f"/apartments/{ada.home.apartment}/histories", NOTHING_HELD)
    shown = {event["bill_id"] for event in history["data"]["settled_debts"]}
    assert shown == {bill}


def _pay(caller: Caller, resident: Resident, bill: str, key: str) -> Any:
    path = f"/apartments/{resident.home.apartment}/payments"
    return caller.post(path, {"bills_id": [bill]}, **{"Idempotency-Key": key})

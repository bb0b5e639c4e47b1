"""Nobody sees or pays what is another's, whatever they send."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.support.api import Caller, Environment

OPERATIONS: dict[str, dict[str, Any]] = {
    "utils": {},
    "payments": {"bills_id": [str(uuid4())]},
    "histories": {"date_up": None, "date_down": None},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_apartment_of_another_reads_like_one_that_does_not_exist(
    env: Environment, operation: str
) -> None:
    ada, eve = env.resident(), env.resident("Eve")
    body = OPERATIONS[operation]
    if operation == "payments":
        body = {"bills_id": [env.ledger.bill(ada.home)]}
    answers = [
        eve.caller.ask(f"/apartments/{apartment}/{operation}", body)
        for apartment in (ada.home.apartment, uuid4(), "nonsense", quote("' OR 1=1 --"))
    ]
    shown = [(a["status"], a["code"], a["message"], a["data"]) for a in answers]
    assert len({str(one) for one in shown}) == 1
    assert shown[0][:2] == ("rejected", "apartment_not_found")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_polling_anothers_queue_name_reads_a_queue_of_ones_own(
    env: Environment, operation: str
) -> None:
    ada, eve = env.resident(), env.resident("Eve")
    apartment = ada.home.apartment
    accepted = ada.caller.post(f"/apartments/{apartment}/{operation}", OPERATIONS[operation])
    poll = accepted.json()["poll"]
    assert eve.caller.poll(poll, seconds=3) == []
    [reply] = ada.caller.parts(accepted)
    taken = env.http.delete(poll, headers=eve.caller.headers, params={"receipt": reply["receipt"]})
    assert taken.status_code in (204, 400)
    # To take a reply away again is no error.
    ada.caller.acknowledge(poll, reply)


def test_a_foreign_bill_is_not_paid_with_ones_own_apartment(env: Environment) -> None:
    ada, eve = env.resident(), env.resident("Eve")
    bill, own = env.ledger.bill(ada.home), env.ledger.bill(eve.home)
    assert eve.caller.pay(eve.home.apartment, own, bill)["code"] == "bill_not_found"
    assert env.ledger.open_bills(ada.home) == {bill}
    assert env.ledger.open_bills(eve.home) == {own}


def test_a_body_can_not_forge_what_the_gateway_vouches_for(env: Environment) -> None:
    ada, eve = env.resident(), env.resident("Eve")
    bill = env.ledger.bill(ada.home)
    forged = (
        f"&MessageAttribute.2.Name=subject&MessageAttribute.2.Value.StringValue={ada.home.subject}"
        f"&MessageAttribute.3.Value.StringValue={ada.home.apartment}&QueueUrl=x&Action=PurgeQueue"
    )
    answer = eve.caller.ask(
        f"/apartments/{ada.home.apartment}{quote(forged)}/payments", {"bills_id": [bill]}
    )
    assert answer["code"] == "apartment_not_found"
    key = forged[:190]
    answer = eve.caller.pay(ada.home.apartment, bill, key=key)
    assert answer["code"] == "apartment_not_found"
    rejected = eve.caller.post(
        f"/apartments/{ada.home.apartment}/payments",
        {"bills_id": [bill], "subject": str(ada.home.subject)},
    )
    assert (rejected.status_code, rejected.json()["code"]) == (400, "invalid_body")
    assert env.ledger.open_bills(ada.home) == {bill}


def test_a_resident_who_moved_out_sees_and_pays_nothing_more(env: Environment) -> None:
    ada = env.resident()
    bill = env.ledger.bill(ada.home)
    assert ada.caller.debts(ada.home.apartment)["total_minor"] == 5140
    env.ledger.ask("operator", "end_residency", ada.home.subject, ada.home.apartment)
    assert ada.caller.pay(ada.home.apartment, bill)["code"] == "apartment_not_found"
    reply = ada.caller.ask(f"/apartments/{ada.home.apartment}/utils", {})
    assert reply["code"] == "apartment_not_found"


@pytest.mark.parametrize("token", [None, "", "Bearer", "nonsense", "a.b.c", "Bearer a.b.c"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_token_nothing_is_accepted(
    env: Environment, operation: str, token: str | None
) -> None:
    caller = Caller(env.http, token)
    path = f"/apartments/{uuid4()}/{operation}"
    answers = [
        caller.post(path, OPERATIONS[operation]),
        env.http.get(f"{path}/{uuid4()}", headers=caller.headers),
        env.http.delete(f"{path}/{uuid4()}", headers=caller.headers, params={"receipt": "x"}),
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "unauthorized")] * 3
    assert all(answer.headers["Access-Control-Allow-Origin"] == "*" for answer in answers)

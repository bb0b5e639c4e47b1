"""The journey of a resident over HTTP, with separate worker processes."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.support.api import PASSWORD, Caller, Environment
from tests.support.ledger import line

NAMES = ["Олена Коваленко", "王小明", "فاطمة الزهراء", 'Zoë "O\'Neil" <b>&amp;', "👩‍👧 Ωmega\\"]


@pytest.mark.parametrize("name", NAMES)
def test_a_resident_logs_in_looks_pays_and_syncs(env: Environment, name: str) -> None:
    ada = env.resident(name)
    session = env.login(ada.username)
    assert session["data"]["resident"] == {"name": name}
    assert [a["apartment_id"] for a in session["data"]["apartments"]] == [str(ada.home.apartment)]
    bills = env.ledger.bills(ada.home, 1000, 200, 30)

    debts = ada.caller.debts(ada.home.apartment)
    assert (debts["total_minor"], debts["currency"]) == (1230, "EUR")
    assert {debt["bill_id"] for debt in debts["debts"]} == set(bills)

    receipt = ada.caller.pay(ada.home.apartment, *bills[:2], expected_total_minor=1200)
    assert (receipt["status"], receipt["data"]["total_minor"]) == ("done", 1200)
    assert {one["provider"] for one in receipt["data"]["lines"]} == {"North Gas"}
    assert ada.caller.debts(ada.home.apartment)["total_minor"] == 30

    synced = history(ada.caller, ada.home.apartment)
    assert {event["bill_id"] for event in synced["settled_debts"]} == set(bills[:2])
    assert {e["receipt_number"] for e in synced["settled_debts"]} == {
        receipt["data"]["receipt_number"]
    }


def history(caller: Caller, apartment: Any, covered: Any = None, **body: Any) -> dict[str, Any]:
    frame = covered or {"date_up": None, "date_down": None}
    reply = caller.ask(f"/apartments/{apartment}/histories", {**frame, **body})
    assert reply["status"] == "done", reply
    data: dict[str, Any] = reply["data"]
    return data


def test_every_part_of_500_debts_and_of_5000_settled_ones_arrives(env: Environment) -> None:
    ada = env.resident()
    home = ada.home.apartment
    env.ledger.provider("long", "Энергосбытовая компания " * 4)
    settled: set[str] = set()
    for _ in range(10):
        rows = [line(ada.home, line=n + 1, provider_id="long") for n in range(500)]
        bills = [row["bill_id"] for row in env.ledger.issue(rows)["data"]["lines"]]
        settled |= set(bills)
        assert env.ledger.pay(ada.home, bills)["status"] == "done"
    rows = [line(ada.home, line=n + 1, provider_id="long") for n in range(500)]
    owed = {row["bill_id"] for row in env.ledger.issue(rows)["data"]["lines"]}

    parts = ada.caller.parts(ada.caller.post(f"/apartments/{home}/utils", {}))
    assert len(parts) > 1
    assert {debt["bill_id"] for part in parts for debt in part["data"]["debts"]} == owed
    assert {part["data"]["version"] for part in parts} == {parts[0]["data"]["version"]}

    received: set[str] = set()
    body: dict[str, Any] = {"date_up": None, "date_down": None}
    for _ in range(10):
        parts = ada.caller.parts(ada.caller.post(f"/apartments/{home}/histories", body))
        for part in parts:
            received |= {event["bill_id"] for event in part["data"]["settled_debts"]}
        last = parts[-1]["data"]
        body = {**last["covered"], "cursor": last["cursor"]}
        if not last["more"]:
            break
    assert received == settled


def test_each_way_that_a_login_can_fail_has_its_code(env: Environment) -> None:
    ada = env.resident()
    wrong, unknown = env.login(ada.username, "Wrong-1-password"), env.login("nobody-here")
    assert wrong["code"] == "invalid_credentials"
    shown = ("code", "message", "data", "status")
    assert [wrong[name] for name in shown] == [unknown[name] for name in shown]

    stranger, _ = env.user()
    assert env.login(stranger)["code"] == "resident_not_found"

    new, _ = env.user(permanent=False)
    assert env.login(new)["code"] == "new_password_required"

    cognito, pool = env.stack.clients.cognito, env.stack.cloud.user_pool_id
    cognito.admin_disable_user(UserPoolId=pool, Username=ada.username)
    for password in (PASSWORD, "Wrong-1-password"):
        assert env.login(ada.username, password)["code"] == "invalid_credentials"


@pytest.mark.parametrize("receipt", ["x", "", "&Action=PurgeQueue", "\x00"])
def test_a_receipt_that_is_none_is_rejected(env: Environment, receipt: str) -> None:
    ada = env.resident()
    poll = ada.caller.post(f"/apartments/{ada.home.apartment}/utils", {}).json()["poll"]
    [reply] = ada.caller.awaited(poll)
    answer = env.http.delete(poll, headers=ada.caller.headers, params={"receipt": receipt})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_receipt")
    # To take it away again is no error.
    for _ in range(2):
        ada.caller.acknowledge(poll, reply)


def test_characters_that_sqs_does_not_take_are_rejected(env: Environment) -> None:
    body = {"username": "a\ufffe", "password": "b", "queue_name": str(uuid4())}
    login = env.http.post(
        "/auth",
        content=json.dumps(body, ensure_ascii=False),
        headers={"Content-Type": "application/json"},
    )
    assert (login.status_code, login.json()["code"]) == (400, "invalid_body")
    debts = env.resident().caller.post("/apartments/a%01/utils", {})
    assert (debts.status_code, debts.json()["code"]) == (400, "invalid_parameter")


def test_tokens_are_refreshed_without_a_password(env: Environment) -> None:
    ada = env.resident()
    session = env.login(ada.username)["data"]
    fresh = env.caller().ask("/auth", {"refresh_token": session["tokens"]["refresh_token"]})
    assert fresh["status"] == "done"
    caller = Caller(env.http, "Bearer " + fresh["data"]["tokens"]["id_token"])
    assert caller.debts(ada.home.apartment)["total_minor"] == 0
    assert env.caller().ask("/auth", {"refresh_token": "stale"})["code"] == "session_expired"


def test_a_password_reaches_no_sink(env: Environment) -> None:
    canary = f"Canary-{uuid4().hex}-1"
    ada = env.resident("Kanarek", password=canary)
    token = ada.caller.token or ""
    env.login(ada.username, canary + "wrong")
    env.caller().post("/auth", {"username": ada.username, "password": canary, "surplus": 1})
    ada.caller.pay(ada.home.apartment, env.ledger.bill(ada.home))
    logs = [path.read_text("utf-8", "replace") for path in env.stack.state.rglob("*.log")]
    assert len(logs) > 3
    for secret in (canary, token, "Kanarek"):
        assert not any(secret in log for log in logs)
    assert PASSWORD not in "".join(logs)

"""Killing a process at any time loses nothing and doubles nothing."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.api import Caller, Environment, Resident


def pay_in_background(env: Environment, ada: Resident, bills: list[str]) -> list[dict[str, Any]]:
    """Pay each bill on a thread of its own; returns the list that the outcomes come into."""
    outcomes: list[dict[str, Any]] = []

    def pay(bill: str) -> None:
        outcomes.append(Caller(env.http, ada.caller.token).pay(ada.home.apartment, bill))

    for bill in bills:
        threading.Thread(target=pay, args=[bill]).start()
    return outcomes


def wait_for(outcomes: list[dict[str, Any]], count: int) -> None:
    deadline = time.monotonic() + 60
    while len(outcomes) < count:
        assert time.monotonic() < deadline, f"{len(outcomes)} of {count} answers"
        time.sleep(0.1)


def workers(env: Environment, operation: str) -> list[str]:
    return [name for name in env.stack.cloud.pids if operation in name]


def test_payments_survive_the_death_of_their_workers(env: Environment) -> None:
    ada = env.resident()
    bills = env.ledger.bills(ada.home, *range(1, 13))
    outcomes = pay_in_background(env, ada, bills)
    for _ in range(2):
        for worker in workers(env, "payments"):
            env.stack.kill(worker)
            time.sleep(0.2)
    wait_for(outcomes, len(bills))
    assert {outcome["status"] for outcome in outcomes} == {"done"}
    numbers = {outcome["data"]["receipt_number"] for outcome in outcomes}
    assert len(numbers) == len(bills)
    assert env.ledger.open_bills(ada.home) == set()
    assert len(env.ledger.history(ada.home)["events"]) == len(bills)


def test_debts_and_history_are_answered_rightly_while_redis_dies(env: Environment) -> None:
    ada = env.resident()
    home = ada.home.apartment
    path = f"/apartments/{home}/histories"
    whole = {"date_up": None, "date_down": None}
    for count in range(1, 5):
        bill = env.ledger.bill(ada.home)
        assert ada.caller.pay(home, bill)["status"] == "done"
        if count % 2:
            env.stack.kill(next(name for name in env.stack.cloud.pids if "redis" in name))
        reply = ada.caller.ask(path, whole)
        assert len(reply["data"]["settled_debts"]) == count
        assert ada.caller.debts(home)["debts"] == []

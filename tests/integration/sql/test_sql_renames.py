"""A provider gets another name while its bills are opened: no version of debts has two answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.support.ledger import Answer, Home, Ledger, line, value


def importing(ledger: Ledger, home: Home) -> Callable[[Ledger], Answer]:
    ledger.provider()
    return lambda operator: operator.issue([line(home)])


def reversing(ledger: Ledger, home: Home) -> Callable[[Ledger], Answer]:
    payment_id = ledger.pay(home, [ledger.bill(home)])["data"]["payment_id"]
    return lambda operator: operator.reverse(payment_id)


@pytest.mark.parametrize("opening", [importing, reversing])
def test_a_rename_and_the_opening_of_a_bill_take_turns(
    ledger: Ledger, home: Home, opening: Callable[[Ledger, Home], Callable[[Ledger], Answer]]
) -> None:
    opens, seen = opening(ledger, home), []
    with (
        closing(ledger.database.login("operator").connect()) as renamer,
        closing(ledger.database.login("operator").connect()) as opener,
    ):
        renamer.autocommit = False
        ledger.on(renamer).provider(name="Another Gas")
        thread = threading.Thread(target=opens, args=[ledger.on(opener)])
        thread.start()
        while thread.is_alive() and not _waits(ledger, opener.info.backend_pid):
            pass
        seen.append(ledger.debts(home))
        renamer.commit()
        thread.join()
        seen.append(ledger.debts(home))
    assert seen[1]["debts"][0]["provider"]["name"] == "Another Gas"
    assert seen[0]["version"] < seen[1]["version"]


def _waits(ledger: Ledger, pid: int) -> bool:
    question = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    return bool(value(ledger.connection("admin"), question, pid))

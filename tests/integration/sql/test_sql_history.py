"""api.settled_history: order, known ranges, pages and what a resident may see."""

from __future__ import annotations

from tests.support.ledger import LONG_AGO, Answer, Home, Ledger, query


def positions(answer: Answer) -> list[int]:
    return [event["seq"] for event in answer["events"]]


def instants(answer: Answer) -> list[str]:
    return [event["posted_at"] for event in answer["events"]]


def pay_one_by_one(ledger: Ledger, home: Home, count: int) -> None:
    for bill in ledger.bills(home, *range(1, count + 1)):
        ledger.pay(home, [bill])


def test_a_new_resident_sees_no_history_of_the_one_before(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 2)
    edge = instants(ledger.history(home))[1]
    tenant = Home(ledger.resident(), home.apartment)
    ledger.grant(*tenant, since=edge)
    answer = ledger.history(tenant)
    assert (positions(answer), answer["visible_from"]) == ([2], edge)
    assert positions(ledger.history(tenant, known=(LONG_AGO, edge))) == [2]


def test_a_thousand_bills_are_paid_at_once_and_two_thousand_read(
    ledger: Ledger, home: Home
) -> None:
    for _ in range(2):
        receipt = ledger.pay(home, ledger.bills(home, *range(1, 1001)))["data"]
        assert (len(receipt["lines"]), receipt["total_minor"]) == (1000, 500500)
    assert positions(ledger.history(home, limit=2000)) == list(range(1, 2001))


def test_a_clock_set_back_does_not_disturb_the_order(ledger: Ledger, home: Home) -> None:
    """The next event follows a microsecond later when the clock says that it is earlier."""
    pay_one_by_one(ledger, home, 1)
    set_ahead = """
        BEGIN;
        SET LOCAL session_replication_role = replica;
        UPDATE billing.history SET posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        UPDATE billing.apartment_state SET last_posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        UPDATE billing.payments
        SET settled_at = '2900-01-01Z', receipt_number = 'R-2900-' || right(receipt_number, 10)
        WHERE apartment_id = %s;
        COMMIT
    """
    query(ledger.connection("admin"), set_ahead, *[home.apartment] * 3)
    pay_one_by_one(ledger, home, 1)
    assert ledger.history(home)["last_posted_at"] == "2900-01-01T00:00:00.000001Z"

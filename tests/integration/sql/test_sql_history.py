"""api.settled_history: order, known ranges, pages and what a resident may see."""

from __future__ import annotations

from itertools import pairwise

import pytest

from billing_app.domain.instants import TICK, format_instant, parse_instant
from tests.support.ledger import LONG_AGO, Answer, Home, Ledger, query


def positions(answer: Answer) -> list[int]:
    return [event["seq"] for event in answer["events"]]


def instants(answer: Answer) -> list[str]:
    return [event["posted_at"] for event in answer["events"]]


def pay_one_by_one(ledger: Ledger, home: Home, count: int) -> None:
    for bill in ledger.bills(home, *range(1, count + 1)):
        ledger.pay(home, [bill])


def test_history_begins_empty(ledger: Ledger, home: Home) -> None:
    answer = ledger.history(home)
    assert answer == {
        "version": 2,
        "visible_from": "2020-01-01T00:00:00.000000Z",
        "last_posted_at": None,
        "last_seq": 0,
        "more": False,
        "frame_known": True,
        "events": [],
    }


def test_an_event_describes_the_settled_debt(ledger: Ledger, home: Home) -> None:
    (bill,) = ledger.bills(home, 5140)
    receipt = ledger.pay(home, [bill])["data"]
    answer = ledger.history(home)
    assert answer["events"] == [
        {
            "seq": 1,
            "event": "payment",
            "bill_id": bill,
            "utility": "gas",
            "provider": {"provider_id": "northgas", "name": "North Gas"},
            "period": {"from": "2026-10-01", "to": "2026-10-31"},
            "amount_minor": 5140,
            "currency": "EUR",
            "posted_at": receipt["settled_at"],
            "settled_at": receipt["settled_at"],
            "payment_id": receipt["payment_id"],
            "receipt_number": receipt["receipt_number"],
        }
    ]
    assert (answer["last_seq"], answer["last_posted_at"]) == (1, receipt["settled_at"])
    assert answer["version"] == ledger.version(home)


def test_positions_have_no_gap_and_instants_strictly_grow(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, ledger.bills(home, 1, 2, 3))
    payment = ledger.pay(home, ledger.bills(home, 4, 5))["data"]["payment_id"]
    ledger.reverse(payment)
    answer = ledger.history(home)
    assert positions(answer) == [1, 2, 3, 4, 5, 6, 7]
    assert all(earlier < later for earlier, later in pairwise(instants(answer)))
    assert answer["last_posted_at"] == instants(answer)[-1]


def test_a_page_has_at_most_the_limit_and_says_if_there_is_more(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 5)
    pages = [
        ledger.history(home, after=after, limit=limit) for after, limit in ((0, 3), (3, 3), (0, 5))
    ]
    assert [(positions(page), page["more"]) for page in pages] == [
        ([1, 2, 3], True), ([4, 5], False), ([1, 2, 3, 4, 5], False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "lacking"),
    [
        ((0, 2), [3, 4, 5]),
        ((0, 5), []),
        ((1, 3), [1, 4, 5]),
        ((3, 5), [1, 2, 3]),
        ((2, 2), [1, 2, 3, 4, 5]),
        ((3, 1), [1, 2, 3, 4, 5]),
    ],
)
def test_a_known_range_is_left_out(
    ledger: Ledger, home: Home, known: tuple[int, int], lacking: list[int]
) -> None:
    """The range is half-open, from the instant of one event to that of another."""
    pay_one_by_one(ledger, home, 5)
    edges = [*instants(ledger.history(home)), "2999-01-01T00:00:00.000000Z"]
    held = (edges[known[0]], edges[known[1]])
    assert positions(ledger.history(home, known=held)) == lacking
    assert positions(ledger.history(home, known=held, limit=2)) == lacking[:2]


def test_a_range_is_known_if_it_ends_just_after_an_event_of_the_ledger(
    ledger: Ledger, home: Home
) -> None:
    pay_one_by_one(ledger, home, 2)
    floor, events = ledger.history(home)["visible_from"], instants(ledger.history(home))
    just_after = [format_instant(parse_instant(event) + TICK) for event in events]
    ends = [*just_after, floor, "infinity", *events, "2999-01-01T00:00:00.000000Z"]
    known = [ledger.history(home, known=(floor, end))["frame_known"] for end in ends]
    assert known == [True] * 4 + [False] * 3


def test_a_range_may_end_between_the_lines_of_a_payment(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, ledger.bills(home, 1, 2, 3))
    _, second, third = instants(ledger.history(home))
    assert positions(ledger.history(home, known=(second, third))) == [1, 3]


def test_a_new_resident_sees_no_history_of_the_one_before(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 2)
    edge = instants(ledger.history(home))[1]
    tenant = Home(ledger.resident(), home.apartment)
    ledger.grant(*tenant, since=edge)
    answer = ledger.history(tenant)
    assert (positions(answer), answer["visible_from"]) == ([2], edge)
    assert positions(ledger.history(tenant, known=(LONG_AGO, edge))) == [2]


def test_a_former_resident_sees_nothing(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 1)
    ledger.end_residency(home)
    assert ledger.history(home) is None


def test_a_thousand_bills_are_paid_at_once_and_two_thousand_read(
    ledger: Ledger, home: Home
) -> None:
    for _ in range(2):
        receipt = ledger.pay(home, ledger.bills(home, *range(1, 1001)))["data"]
        assert (len(receipt["lines"]), receipt["total_minor"]) == (1000, 500500)
    assert positions(ledger.history(home, limit=2000)) == list(range(1, 2001))


def test_events_are_stamped_by_the_wall_clock_inside_one_transaction(
    ledger: Ledger, home: Home
) -> None:
    writer = ledger.connection("writer")
    bills = ledger.bills(home, 1, 2)
    query(writer, "BEGIN")
    for bill in bills:
        ledger.pay(home, [bill])
    query(writer, "COMMIT")
    earlier, later = instants(ledger.history(home))
    assert earlier < later


def test_a_clock_set_back_does_not_disturb_the_order(ledger: Ledger, home: Home) -> None:
    """The next event follows a microsecond later when the clock says that it is earlier."""
    pay_one_by_one(ledger, home, 1)
    set_ahead = """
        BEGIN;
        SET LOCAL session_replication_role = replica;
        UPDATE billing.history SET posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        UPDATE billing.apartment_state SET last_posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        COMMIT
    """
    query(ledger.connection("admin"), set_ahead, home.apartment, home.apartment)
    pay_one_by_one(ledger, home, 1)
    assert ledger.history(home)["last_posted_at"] == "2900-01-01T00:00:00.000001Z"

"""api.settled_history: order, frames, cursors and what a resident may see."""

from itertools import pairwise

import pytest

from billing_app.domain.instants import TICK, format_instant, parse_instant
from tests.support.ledger import LONG_AGO, Answer, Home, Ledger, query


@pytest.fixture
def home(ledger: Ledger) -> Home:
    return ledger.home()


def positions(answer: Answer) -> list[int]:
    return [event["seq"] for event in answer["events"]]


def just_after(instant: str) -> str:
    return format_instant(parse_instant(instant) + TICK)


def pay_one_by_one(ledger: Ledger, home: Home, count: int) -> list[Answer]:
    return [ledger.pay(home, [bill])["data"] for bill in ledger.bills(home, *range(1, count + 1))]


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


def test_an_event_tells_the_settled_debt(ledger: Ledger, home: Home) -> None:
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
    instants = [event["posted_at"] for event in answer["events"]]
    assert positions(answer) == [1, 2, 3, 4, 5, 6, 7]
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert answer["last_posted_at"] == instants[-1]


def test_a_page_holds_at_most_the_limit_and_tells_of_more(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 5)
    first, rest = ledger.history(home, limit=3), ledger.history(home, after=3, limit=3)
    assert (positions(first), first["more"]) == ([1, 2, 3], True)
    assert (positions(rest), rest["more"]) == ([4, 5], False)
    assert (positions(ledger.history(home, limit=5)), ledger.history(home, limit=5)["more"]) == (
        [1, 2, 3, 4, 5], False,
    )  # fmt: skip


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
def test_a_known_frame_is_left_out(
    ledger: Ledger, home: Home, known: tuple[int, int], lacking: list[int]
) -> None:
    """The frame is half-open, from the instant of one event to that of another."""
    pay_one_by_one(ledger, home, 5)
    edges = [event["posted_at"] for event in ledger.history(home)["events"]]
    edges.append("2999-01-01T00:00:00.000000Z")
    frame = (edges[known[0]], edges[known[1]])
    assert positions(ledger.history(home, known=frame)) == lacking
    by_twos = positions(ledger.history(home, known=frame, limit=2))
    assert by_twos == lacking[:2]


def test_a_frame_is_known_when_it_ends_just_after_an_event_that_the_books_have(
    ledger: Ledger, home: Home
) -> None:
    pay_one_by_one(ledger, home, 2)
    floor = ledger.history(home)["visible_from"]
    ends = [event["posted_at"] for event in ledger.history(home)["events"]]
    ends += [just_after(end) for end in ends]

    def known(end: str) -> bool:
        return bool(ledger.history(home, known=(floor, end))["frame_known"])

    assert [known(end) for end in ends] == [False, False, True, True]
    assert known(floor)
    assert not known("2999-01-01T00:00:00.000000Z")
    assert known("infinity")


def test_a_frame_may_cut_between_the_lines_of_a_payment(ledger: Ledger, home: Home) -> None:
    ledger.pay(home, ledger.bills(home, 1, 2, 3))
    instants = [event["posted_at"] for event in ledger.history(home)["events"]]
    assert positions(ledger.history(home, known=(instants[1], instants[2]))) == [1, 3]


def test_a_new_resident_sees_no_history_of_the_one_before(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 2)
    edge = ledger.history(home)["events"][1]["posted_at"]
    tenant = Home(ledger.resident(), home.apartment)
    ledger.grant(tenant.subject, tenant.apartment, since=edge)
    answer = ledger.history(tenant)
    assert (positions(answer), answer["visible_from"]) == ([2], edge)
    assert positions(ledger.history(tenant, known=(LONG_AGO, edge))) == [2]


def test_a_former_resident_sees_nothing(ledger: Ledger, home: Home) -> None:
    pay_one_by_one(ledger, home, 1)
    ledger.ask("operator", "end_residency", home.subject, home.apartment)
    assert ledger.history(home) is None


def test_history_of_two_thousand_events_comes_in_one_page(ledger: Ledger, home: Home) -> None:
    for _ in range(2):
        ledger.pay(home, ledger.bills(home, *range(1, 1001)))
    assert positions(ledger.history(home, limit=2000)) == list(range(1, 2001))


def test_events_are_stamped_by_the_wall_clock_inside_one_transaction(
    ledger: Ledger, home: Home
) -> None:
    first, second = ledger.bills(home, 1, 2)
    with ledger.connection("writer").cursor() as cursor:
        cursor.execute("BEGIN")
        for bill in (first, second):
            cursor.execute(
                "SELECT api.pay(%s, %s, %s, %s::uuid[])",
                (home.subject, bill, home.apartment, [bill]),
            )
        cursor.execute("COMMIT")
    earlier, later = (event["posted_at"] for event in ledger.history(home)["events"])
    assert earlier < later


def test_a_clock_set_back_does_not_disturb_the_order(ledger: Ledger, home: Home) -> None:
    """The next event follows a microsecond later when the clock says that it is earlier."""
    pay_one_by_one(ledger, home, 1)
    admin = ledger.connection("admin")
    query(
        admin,
        """
        BEGIN;
        SET LOCAL session_replication_role = replica;
        UPDATE billing.history SET posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        UPDATE billing.apartment_state SET last_posted_at = '2900-01-01Z' WHERE apartment_id = %s;
        COMMIT
        """,
        home.apartment,
        home.apartment,
    )
    pay_one_by_one(ledger, home, 1)
    assert ledger.history(home)["last_posted_at"] == "2900-01-01T00:00:00.000001Z"

"""I9, I10: reads and syncs that lag behind what was answered."""

from __future__ import annotations

from tests.support.tales import Tale


def test_i9_a_paid_bill_shown_by_a_cache_that_was_not_compared() -> None:
    tale = Tale()
    bill = tale.bill()
    stale = tale.debts_data()
    tale.pay(bill)
    tale.look(**stale)
    assert tale.broken() == {"I9"}


def test_i9_a_paid_bill_shown_under_the_new_version() -> None:
    tale = Tale()
    bill = tale.bill()
    stale = tale.debts_data()
    tale.pay(bill)
    tale.look(**{**stale, "version": tale.state("home")["version"]})
    assert tale.broken() == {"I9"}


def test_i9_a_bill_paid_by_a_neighbour_and_shown() -> None:
    tale = Tale()
    tale.resident("bob", "home")
    bill = tale.bill()
    stale = tale.debts_data()
    tale.pay(bill, user="bob")
    tale.look(**stale)
    assert tale.broken() == {"I9"}


def test_i9_a_paid_bill_shown_before_anybody_reversed() -> None:
    tale = Tale()
    bill = tale.bill()
    stale = tale.debts_data()
    payment = tale.pay(bill)
    tale.look(**stale)
    tale.reverse(payment)
    assert tale.broken() == {"I9"}


def test_i9_a_withdrawn_bill_shown() -> None:
    tale = Tale()
    bill = tale.bill()
    stale = tale.debts_data()
    tale.void(bill)
    tale.look(**stale)
    assert tale.broken() == {"I9"}


def test_i9_a_corrected_bill_shown() -> None:
    tale = Tale()
    stale_bill = tale.bill()
    stale = tale.debts_data()
    tale.revise(stale_bill, 200)
    tale.look(**stale)
    assert "I9" in tale.broken()


def test_i9_a_version_that_went_back() -> None:
    tale = Tale()
    empty = tale.debts_data()
    tale.void(tale.bill())
    tale.look()
    tale.look(**empty)
    assert tale.broken() == {"I9"}


# I10 ---------------------------------------------------------------------------------------------


def synced() -> Tale:
    """Return a tale with three payments and a last sync."""
    tale = Tale()
    for key in ("first", "second", "third"):
        tale.pay(tale.bill(), key=key)
    tale.sync()
    return tale


def test_i10_an_event_that_a_sync_lost() -> None:
    tale = synced()
    del tale.events[-1]["events"][1]
    assert tale.broken() == {"I10"}


def test_i10_an_event_that_is_kept_though_it_lies_outside() -> None:
    tale = synced()
    second = tale.row("history", seq=2)["posted_at"]
    tale.events[-1] |= {"final": False, "frame": {"date_down": second, "date_up": tale.instant()}}
    assert tale.broken() == {"I10"}


def test_i10_an_event_that_is_held_twice() -> None:
    tale = synced()
    tale.events[-1]["events"] *= 2
    assert tale.broken() == {"I10"}


def test_i10_a_last_frame_that_ends_before_the_last_event() -> None:
    tale = synced()
    third = tale.row("history", seq=3)["posted_at"]
    tale.events[-1]["frame"]["date_up"] = third
    tale.events[-1]["events"].pop()
    assert tale.broken() == {"I10"}


def test_i10_a_last_frame_that_begins_late() -> None:
    tale = synced()
    second = tale.row("history", seq=2)["posted_at"]
    tale.events[-1]["frame"]["date_down"] = second
    del tale.events[-1]["events"][0]
    assert tale.broken() == {"I10"}


def test_i10_a_sync_without_a_payment_that_was_answered_before() -> None:
    tale = Tale()
    tale.pay(tale.bill(), key="first")
    tale.sync(final=False)
    tale.pay(tale.bill(), key="second")
    tale.sync(final=False)
    kept = tale.row("history", seq=2)["posted_at"]
    tale.events[-1]["frame"]["date_up"] = kept
    tale.events[-1]["events"].pop()
    assert tale.broken() == {"I10"}


def test_i10_a_client_that_never_got_to_its_last_sync() -> None:
    tale = Tale()
    clients = [{"client": "client-ada", "user": "ada", "apartments": ["home"]}]
    tale.tell("phase", name="drained", clients=clients)
    tale.look()
    assert tale.broken() == {"I10"}


def test_i10_a_reversal_that_a_sync_lost() -> None:
    tale = Tale()
    tale.reverse(tale.pay(tale.bill()))
    tale.sync()
    tale.events[-1]["events"].pop()
    assert tale.broken() == {"I10"}

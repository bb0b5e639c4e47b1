"""The checker finds missing, contradictory, foreign and stale replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.run_builder import LONG_AGO, RunBuilder, RunExamples

broken = RunExamples()


def last_reply(run: RunBuilder) -> Any:
    """Return the data of the last reply."""
    return run.events[-1]["reply"]["data"]


def add_eve(run: RunBuilder) -> None:
    """Add a resident with an apartment of her own."""
    run.apartment("den")
    run.resident("eve", "den")


# I5: each request is answered, and answers agree --------------------------------------------------


@broken("I5")
def a_request_that_nobody_ever_answered(run: RunBuilder) -> None:
    run.ask("utils")


@broken("I5")
def a_request_of_which_one_part_never_came(run: RunBuilder) -> None:
    run.reply(run.ask("utils"), run.debts(), op="utils", part=1, parts=2)


@broken("I5")
def a_login_dropped_after_faults_ended(run: RunBuilder) -> None:
    run.event("phase", name="faults_begin")
    run.event("phase", name="faults_end")
    run.ask("auth", apartment=None, login="password")


@broken("I4", "I5")
def two_receipts_for_one_key(run: RunBuilder) -> None:
    bill = run.bill()
    payment = run.pay(bill)
    again = run.ask(bills=[bill], key="key")
    run.reply(again, {**run.receipt(payment), "settled_at": run.instant()})


@broken("I5")
def a_rejection_that_was_not_stored(run: RunBuilder) -> None:
    add_eve(run)
    bill = run.bill()
    run.reject("bill_not_found", bill, user="eve", apartment="den")
    run.reject("apartment_not_found", bill, user="eve", apartment="den")


@broken("I5")
def one_read_with_two_answers_at_one_version(run: RunBuilder) -> None:
    run.bill()
    request_id = run.look()
    again = run.debts()
    again["debts"][0]["utility"] = "water"
    run.reply(request_id, again, op="utils")


@broken("I5")
def two_reads_that_differ_at_one_version(run: RunBuilder) -> None:
    run.bill()
    run.look()
    half = {**run.debts()["debts"][0], "amount_minor": 50}
    run.look(debts=[half, half])


@broken("I5")
def a_bill_rejected_as_paid_before_anybody_asked_to_pay_it(run: RunBuilder) -> None:
    bill = run.bill()
    run.reject("bill_already_paid", bill, key="early")
    run.pay(bill)


@broken("I5")
def a_bill_rejected_as_paid_after_everybody_knew_of_the_reversal(run: RunBuilder) -> None:
    bill = run.bill()
    run.reverse(run.pay(bill))
    run.reject("bill_already_paid", bill, key="late")


@broken("I5")
def a_rejection_that_names_a_bill_of_another_request(run: RunBuilder) -> None:
    first, second = run.bill(), run.bill()
    run.pay(first)
    run.reject("bill_already_paid", second, key="second", data={"bills": [first]})


@broken("I5")
def a_resident_since_long_ago_whom_a_clock_step_hides(run: RunBuilder) -> None:
    run.grant("ada", "home")["args"]["since"] = LONG_AGO
    run.event("fault", name="clock_back", phase="begin", at={"seconds": 60})
    run.reply(run.ask("utils"), op="utils", code="apartment_not_found")


@broken("I5")
def a_right_password_that_was_rejected(run: RunBuilder) -> None:
    request_id = run.ask("auth", apartment=None, login="password")
    run.reply(request_id, op="auth", code="invalid_credentials")


@broken("I5")
def a_resident_for_whom_there_is_no_such_apartment(run: RunBuilder) -> None:
    run.reply(run.ask("utils"), op="utils", code="apartment_not_found")


# I7: nobody gets what is another's ----------------------------------------------------------------


@broken("I7")
def a_reply_that_somebody_else_polled(run: RunBuilder) -> None:
    add_eve(run)
    run.look()
    run.t += 1
    run.events.append({**run.events[-1], "t": run.t, "user": "eve", "client": "client-eve"})


@broken("I7")
def a_reply_in_another_queue_of_its_user(run: RunBuilder) -> None:
    run.look()
    run.events[-1]["queue_name"] = "another-queue"


@broken("I7")
def a_reply_without_a_request(run: RunBuilder) -> None:
    run.reply("request-0", run.debts(), op="utils")


@broken("I7")
def a_reply_left_in_the_queue_of_another(run: RunBuilder) -> None:
    add_eve(run)
    run.look()
    body = run.events[-1]["reply"]
    run.final = {"replies": [{"owner": "eve", "queue_name": "queue-ada", "replies": [body]}]}


@broken("I7")
def debts_of_an_apartment_where_one_never_lived(run: RunBuilder) -> None:
    add_eve(run)
    run.bill()
    run.look("eve", "home")


@broken("I7")
def debts_shown_after_one_moved_out(run: RunBuilder) -> None:
    run.end("ada", "home")
    run.look()


@broken("I7")
def bills_of_another_apartment_among_ones_own(run: RunBuilder) -> None:
    add_eve(run)
    run.bill()
    run.look("eve", "den", debts=run.debts("home")["debts"], total_minor=100)


@broken("I7")
def history_from_before_one_moved_in(run: RunBuilder) -> None:
    add_eve(run)
    run.pay(run.bill())
    run.grant("eve", "home", since=run.instant())
    request_id = run.ask("histories", "eve", "home")
    run.reply(request_id, run.history("home"), op="histories", user="eve")


@broken("I7")
def a_payment_by_one_who_had_moved_out(run: RunBuilder) -> None:
    bill = run.bill()
    run.end("ada", "home")
    run.pay(bill)


@broken("I7")
def a_payment_without_a_request(run: RunBuilder) -> None:
    bill = run.bill()
    run.look()
    run.book([bill], key="key")


@broken("I7")
def a_forged_token_that_was_accepted(run: RunBuilder) -> None:
    run.reply(run.ask("utils", forged=True), run.debts(), op="utils")


@broken("I7")
def a_login_that_returned_the_token_of_another(run: RunBuilder) -> None:
    add_eve(run)
    run.login()
    last_reply(run)["tokens"]["sub"] = "eve"


@broken("I7")
def a_login_that_lists_an_apartment_of_another(run: RunBuilder) -> None:
    add_eve(run)
    run.login("ada", "home", "den")


@broken("I7")
def a_wrong_password_that_was_accepted(run: RunBuilder) -> None:
    run.login(login="wrong")


# I9: a read shows what was answered before --------------------------------------------------------


@broken("I9")
def a_paid_bill_shown_by_a_stale_cache(run: RunBuilder) -> None:
    bill = run.bill()
    stale = run.debts()
    run.pay(bill)
    run.look(**stale)


@broken("I9")
def a_paid_bill_shown_under_the_new_version(run: RunBuilder) -> None:
    bill = run.bill()
    stale = run.debts()
    run.pay(bill)
    run.look(**{**stale, "version": run.state("home")["version"]})


@broken("I9")
def a_bill_paid_by_a_neighbour_and_shown(run: RunBuilder) -> None:
    run.resident("bob", "home")
    bill = run.bill()
    stale = run.debts()
    run.pay(bill, user="bob")
    run.look(**stale)


@broken("I9")
def a_paid_bill_shown_before_anybody_reversed(run: RunBuilder) -> None:
    bill = run.bill()
    stale = run.debts()
    payment = run.pay(bill)
    run.look(**stale)
    run.reverse(payment)


@broken("I9")
def a_withdrawn_bill_shown(run: RunBuilder) -> None:
    bill = run.bill()
    stale = run.debts()
    run.void(bill)
    run.look(**stale)


@broken("I3", "I9")
def a_corrected_bill_shown(run: RunBuilder) -> None:
    bill = run.bill()
    stale = run.debts()
    run.revise(bill, 200)
    run.look(**stale)


@broken("I9")
def a_version_that_went_back(run: RunBuilder) -> None:
    empty = run.debts()
    run.void(run.bill())
    run.look()
    run.look(**empty)


# I10: a sync ends with the whole history ----------------------------------------------------------


def synced(run: RunBuilder) -> Any:
    """Make three payments and a last sync; returns its event."""
    for key in ("first", "second", "third"):
        run.pay(run.bill(), key=key)
    return run.sync()


@broken("I10")
def an_event_that_a_sync_lost(run: RunBuilder) -> None:
    del synced(run)["events"][1]


@broken("I10")
def an_event_that_is_kept_outside_of_the_frame(run: RunBuilder) -> None:
    copy = synced(run)
    second = run.row("history", seq=2)["posted_at"]
    copy |= {"final": False, "frame": {"date_down": second, "date_up": run.instant()}}


@broken("I10")
def an_event_that_is_held_twice(run: RunBuilder) -> None:
    synced(run)["events"] *= 2


@broken("I10")
def a_last_frame_that_ends_before_the_last_event(run: RunBuilder) -> None:
    copy = synced(run)
    copy["frame"]["date_up"] = run.row("history", seq=3)["posted_at"]
    copy["events"].pop()


@broken("I10")
def a_last_frame_that_begins_late(run: RunBuilder) -> None:
    copy = synced(run)
    copy["frame"]["date_down"] = run.row("history", seq=2)["posted_at"]
    del copy["events"][0]


@broken("I10")
def a_sync_without_a_payment_that_was_answered_before(run: RunBuilder) -> None:
    for key in ("first", "second"):
        run.pay(run.bill(), key=key)
        copy = run.sync(final=False)
    copy["frame"]["date_up"] = run.row("history", seq=2)["posted_at"]
    copy["events"].pop()


@broken("I10")
def a_client_that_never_got_to_its_last_sync(run: RunBuilder) -> None:
    clients = [{"client": "client-ada", "user": "ada", "apartments": ["home"]}]
    run.event("phase", name="drained", clients=clients)
    run.look()


@broken("I10")
def a_reversal_that_a_sync_lost(run: RunBuilder) -> None:
    run.reverse(run.pay(run.bill()))
    run.sync()["events"].pop()


@pytest.mark.parametrize(("break_run", "invariants"), broken.parameters)
def test_the_checker_finds(break_run: Callable[[RunBuilder], None], invariants: set[str]) -> None:
    run = RunBuilder()
    break_run(run)
    assert run.broken() == invariants


CODES = (
    "apartment_not_found bill_not_found bill_void bill_already_paid total_changed currency_mixed"
    " idempotency_key_reused invalid_request"
)


@pytest.mark.parametrize("code", CODES.split())
def test_the_checker_finds_a_rejection_without_its_reason(code: str) -> None:
    run = RunBuilder()
    run.reject(code, run.bill(), expected=100)
    assert run.broken() == {"I5"}


def test_a_request_that_still_waits_is_not_answered() -> None:
    run = RunBuilder()
    request_id = run.ask("utils")
    run.final = {"waiting": [{"queue": "utils", "attributes": {"request_id": request_id}}]}
    [violation] = run.result().violations
    assert "still waits" in violation.text

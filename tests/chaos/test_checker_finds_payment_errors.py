"""The checker finds ledgers that contradict themselves, and payments that were lost or rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.run_builder import RunBuilder, RunExamples

broken = RunExamples()


def paid(run: RunBuilder) -> tuple[str, str]:
    """Pay a bill; returns both ids."""
    bill = run.bill()
    return bill, run.pay(bill)


def last_reply(run: RunBuilder) -> Any:
    """Return the data of the last reply."""
    return run.events[-1]["reply"]["data"]


# I1: a bill is paid once --------------------------------------------------------------------------


@broken("I1", "I7")
def a_bill_that_two_payments_settled(run: RunBuilder) -> None:
    bill, _ = paid(run)
    run.book([bill], key="second")


@broken("I1", "I3")
def a_reversed_payment_that_still_settles_its_bill(run: RunBuilder) -> None:
    bill, payment = paid(run)
    run.reverse(payment)
    run.tables["settled_bills"].append({"bill_id": bill, "payment_id": payment})


@broken("I1", "I3")
def a_live_payment_line_that_settles_nothing(run: RunBuilder) -> None:
    run.drop("settled_bills", bill_id=paid(run)[0])


# I2: a payment adds up ----------------------------------------------------------------------------


@broken("I1", "I2", "I4")
def a_payment_that_lost_a_line(run: RunBuilder) -> None:
    first, second = run.bill(), run.bill()
    run.pay(first, second)
    run.drop("payment_lines", bill_id=second)


@broken("I2")
def a_payment_in_two_currencies(run: RunBuilder) -> None:
    run.pay(run.bill(), run.bill(currency="USD"))


@broken("I2", "I4")
def a_line_with_another_amount_than_its_bill(run: RunBuilder) -> None:
    bill, payment = paid(run)
    run.row("payment_lines", bill_id=bill)["amount_minor"] = 99
    run.row("payments", payment_id=payment)["total_minor"] = 99


@broken("I2", "I4")
def a_receipt_whose_total_is_not_that_of_its_lines(run: RunBuilder) -> None:
    paid(run)
    last_reply(run)["total_minor"] = 101


# I3: a bill is open or paid -----------------------------------------------------------------------


@broken("I3")
def a_bill_that_is_open_and_paid(run: RunBuilder) -> None:
    bill, _ = paid(run)
    run.tables["open_bills"].append({"bill_id": bill})


@broken("I3")
def a_bill_that_vanished(run: RunBuilder) -> None:
    run.drop("open_bills", bill_id=run.bill())


@broken("I3")
def a_withdrawn_bill_that_is_still_open(run: RunBuilder) -> None:
    bill = run.bill()
    run.void(bill)
    run.tables["open_bills"].append({"bill_id": bill})


@broken("I3")
def debts_that_lack_an_open_bill(run: RunBuilder) -> None:
    run.bill()
    run.look(debts=[], total_minor=0)


@broken("I3")
def debts_whose_total_is_not_their_sum(run: RunBuilder) -> None:
    run.bill()
    run.look(total_minor=1)


# I4: paid is durable ------------------------------------------------------------------------------


@broken("I3", "I4", "I8")
def an_answer_before_a_commit_that_never_came(run: RunBuilder) -> None:
    payment = paid(run)[1]
    for table in ("payments", "payment_lines", "payment_requests", "settled_bills", "history"):
        run.drop(table, payment_id=payment)


@broken("I2", "I4")
def a_receipt_that_lists_a_bill_that_was_not_paid(run: RunBuilder) -> None:
    paid(run)
    lines = last_reply(run)["lines"]
    lines.append({**lines[0], "bill_id": run.bill()})


@broken("I2", "I4")
def a_receipt_in_parts_that_lost_a_line(run: RunBuilder) -> None:
    bills = [run.bill(), run.bill(), run.bill()]
    request_id = run.ask(bills=bills, key="key")
    whole = run.receipt(run.book(bills, key="key"))
    for part in (1, 2):
        run.reply(request_id, {**whole, "lines": [whole["lines"][part]]}, part=part, parts=2)


@broken("I4")
def a_receipt_with_another_number_than_the_ledger(run: RunBuilder) -> None:
    paid(run)
    last_reply(run)["receipt_number"] = "R-0"


@broken("I4")
def a_provider_renamed_in_an_old_receipt(run: RunBuilder) -> None:
    paid(run)
    last_reply(run)["lines"][0]["provider"] = "South Gas"


@broken("I4")
def a_receipt_for_other_bills_than_the_request(run: RunBuilder) -> None:
    payment = paid(run)[1]
    run.reply(run.ask(bills=[run.bill()], key="other"), run.receipt(payment))


@broken("I1", "I2", "I4")
def a_payment_that_a_sync_showed_and_a_crash_removed(run: RunBuilder) -> None:
    bill, _ = paid(run)
    run.sync(final=False)
    run.drop("payment_lines", bill_id=bill)


@broken("I4")
def a_lost_request_whose_receipt_is_not_in_the_ledger(run: RunBuilder) -> None:
    bill, payment = paid(run)
    lost = run.ask(bills=[bill], outcome=0)
    run.reply(lost, {**run.receipt(payment), "payment_id": "payment-0"})


# I6: paid was never rejected ----------------------------------------------------------------------


@broken("I6")
def a_payment_that_was_made_and_rejected_when_it_came_again(run: RunBuilder) -> None:
    bill = run.bill()
    request_id = run.ask(bills=[bill], key="key")
    run.book([bill], key="key")
    run.reply(request_id, {"bills": [bill]}, code="bill_already_paid")


@broken("I5", "I6")
def a_payment_rejected_at_first_and_then_made_under_the_same_key(run: RunBuilder) -> None:
    bill, payment = paid(run)
    run.reverse(payment)
    run.reject("bill_already_paid", bill, key="key")


@broken("I5", "I6")
def a_redelivery_rejected_since_its_payer_moved_out(run: RunBuilder) -> None:
    bill, _ = paid(run)
    run.end("ada", "home")
    run.reply(run.ask(bills=[bill], key="key"), code="apartment_not_found")


@broken("I6")
def a_paid_request_without_a_key_that_was_rejected(run: RunBuilder) -> None:
    bill = run.bill()
    request_id = run.ask(bills=[bill])
    run.book([bill], key=request_id)
    run.reply(request_id, {"bills": [bill]}, code="bill_already_paid")


# I8: history without gap --------------------------------------------------------------------------


@broken("I8")
def a_gap_in_the_history(run: RunBuilder) -> None:
    run.row("history", bill_id=paid(run)[0])["seq"] = 2
    run.state("home")["last_seq"] = 2


@broken("I8")
def instants_that_stand_still(run: RunBuilder) -> None:
    bill, other = paid(run)[0], run.bill()
    run.pay(other, key="other")
    run.row("history", bill_id=other)["posted_at"] = run.row("history", bill_id=bill)["posted_at"]


@broken("I8")
def a_head_that_is_not_the_last_event(run: RunBuilder) -> None:
    paid(run)
    run.state("home")["last_seq"] = 2


@broken("I8")
def a_payment_that_did_not_move_the_version(run: RunBuilder) -> None:
    paid(run)
    run.state("home")["version"] -= 1


@broken("I8")
def a_version_that_moved_without_a_change(run: RunBuilder) -> None:
    paid(run)
    run.state("home")["version"] += 1


@pytest.mark.parametrize(("break_run", "invariants"), broken.parameters)
def test_the_checker_finds(break_run: Callable[[RunBuilder], None], invariants: set[str]) -> None:
    run = RunBuilder()
    break_run(run)
    assert run.broken() == invariants

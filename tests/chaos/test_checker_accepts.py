"""The checker accepts what is unusual and yet as promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.run_builder import RunBuilder, RunExamples

valid = RunExamples()


@valid()
def a_run_without_faults(run: RunBuilder) -> None:
    first, second, third = run.bill(), run.bill(amount=250), run.bill()
    run.login()
    run.look()
    run.pay(first, second)
    run.look()
    run.void(third)
    run.look()
    run.sync()


@valid()
def a_request_whose_connection_broke_was_carried_out(run: RunBuilder) -> None:
    bill = run.bill()
    run.ask(bills=[bill], key="key", outcome=0)
    payment = run.book([bill], key="key")
    again = run.ask(bills=[bill], key="key")
    run.reply(again, run.receipt(payment))
    run.look()


@valid()
def a_lost_request_without_a_key_was_carried_out_and_answered(run: RunBuilder) -> None:
    bill = run.bill()
    request_id = run.ask(bills=[bill], outcome=502)
    payment = run.book([bill], key=request_id)
    run.reply(request_id, run.receipt(payment))


@valid()
def the_same_answer_comes_twice_and_to_a_second_request_with_the_key(run: RunBuilder) -> None:
    bill = run.bill()
    payment = run.pay(bill)
    run.reply("request-1", run.receipt(payment))
    again = run.ask(bills=[bill], key="key")
    run.reply(again, run.receipt(payment))


@valid()
def one_read_is_answered_at_two_versions(run: RunBuilder) -> None:
    bill = run.bill()
    request_id = run.look()
    run.pay(bill)
    run.reply(request_id, run.debts(), op="utils")


@valid()
def one_read_is_answered_twice_at_one_version_at_two_moments(run: RunBuilder) -> None:
    run.bill()
    request_id = run.look()
    later = run.debts()
    later["debts"][0]["days_overdue"] = 1
    run.reply(request_id, later, op="utils")


@valid()
def a_payment_fails_at_first_and_is_done_when_asked_again(run: RunBuilder) -> None:
    bill = run.bill()
    first = run.ask(bills=[bill], key="key")
    run.reply(first, code="payment_outcome_unknown", status="failed")
    payment = run.book([bill], key="key")
    run.reply(run.ask(bills=[bill], key="key"), run.receipt(payment))


@valid()
def a_rejected_bill_is_paid_with_another_key_once_its_payment_is_reversed(run: RunBuilder) -> None:
    bill = run.bill()
    payment = run.pay(bill)
    run.reject("bill_already_paid", bill, key="another")
    run.reverse(payment)
    run.look()
    run.reject("bill_already_paid", bill, key="another")
    run.pay(bill, key="third")
    run.look()
    run.sync()


@valid()
def a_read_that_began_before_the_answer_still_shows_the_debt(run: RunBuilder) -> None:
    bill = run.bill()
    before = run.debts()
    request_id = run.ask("utils")
    run.pay(bill)
    run.reply(request_id, before, op="utils")


@valid()
def a_debt_is_back_before_the_operator_knows_of_the_reversal(run: RunBuilder) -> None:
    bill = run.bill()
    payment = run.pay(bill)
    began = run.t + 0.5
    run.book_reversal(payment)
    run.look()
    answer = {"status": "rejected", "code": "payment_already_reversed"}
    told = {"answer": answer, "attempts": 2, "t0": began}
    run.call("reverse", {"payment_id": payment}, None, **told)


@valid()
def a_receipt_comes_in_parts_and_comes_again(run: RunBuilder) -> None:
    bills = [run.bill(), run.bill(amount=7)]
    request_id = run.ask(bills=bills, key="key")
    payment = run.book(bills, key="key")
    whole = run.receipt(payment)
    for part in (2, 1, 1, 2):
        lines = [whole["lines"][part - 1]]
        run.reply(request_id, {**whole, "lines": lines}, part=part, parts=2)
    run.look()


@valid()
def who_moves_out_while_paying_may_be_paid_for_or_rejected(run: RunBuilder) -> None:
    run.apartment("second")
    run.grant("ada", "second")
    bill, other = run.bill("second"), run.bill("second")
    paid = run.ask(apartment="second", bills=[bill], key="paid")
    rejected = run.ask(apartment="second", bills=[other], key="rejected")
    payment = run.book([bill], key="paid")
    run.end("ada", "second")
    run.reply(paid, run.receipt(payment))
    run.reply(rejected, code="apartment_not_found")
    again = run.ask(apartment="second", bills=[bill], key="paid")
    run.reply(again, run.receipt(payment))


@valid()
def who_moves_in_again_sees_less_of_the_history_than_before(run: RunBuilder) -> None:
    old = run.pay(run.bill())
    run.sync(final=False)
    run.end("ada", "home")
    run.reject("apartment_not_found", "bill-1", key="out")
    since = run.instant()
    run.grant("ada", "home", since=since)
    new = run.pay(run.bill(), key="new")
    held = run.sync(since=since)["events"]
    assert [payment for _, payment, _ in held] == [new]
    assert old != new


@valid()
def an_end_whose_first_attempt_got_lost_ended_the_residency(run: RunBuilder) -> None:
    run.bill()
    call = run.end("ada", "home")
    call |= {"attempts": 2, "answer": {"status": "rejected", "code": "residency_not_found"}}
    request_id = run.ask("utils")
    run.reply(request_id, op="utils", code="apartment_not_found")


@valid()
def a_clock_that_went_back_may_hide_who_moved_in_just_now(run: RunBuilder) -> None:
    run.apartment("second")
    run.grant("ada", "second")["args"]["since"] = None
    run.event("fault", name="clock_back", phase="begin", at={"seconds": 60})
    run.reply(run.ask("utils", apartment="second"), op="utils", code="apartment_not_found")
    run.login("ada", "home")


@valid()
def a_neighbour_of_the_same_apartment_sees_and_pays_alike(run: RunBuilder) -> None:
    run.resident("bob", "home")
    first, second = run.bill(), run.bill()
    run.pay(first, user="bob")
    run.look()
    run.pay(second)
    run.look(user="bob")
    run.reject("bill_already_paid", second, user="bob", key="late")
    run.sync()
    run.sync("bob")


@valid()
def a_attacker_is_told_that_there_is_nothing(run: RunBuilder) -> None:
    run.apartment("den")
    run.resident("eve", "den")
    bill, own = run.bill(), run.bill("den")
    run.reply(run.ask("utils", "eve", "home"), op="utils", code="apartment_not_found", user="eve")
    run.reject("apartment_not_found", bill, user="eve")
    run.reject("bill_not_found", bill, user="eve", apartment="den", key="own")
    run.ask("utils", "ada", "home", forged=True, outcome=401)
    run.pay(own, user="eve", key="honest")


@valid()
def a_dead_request_needs_no_answer_and_an_answer_may_lie_in_its_queue(run: RunBuilder) -> None:
    bill = run.bill()
    dead = run.ask(bills=[bill], key="key")
    letter = {"queue": "payments-dlq", "body": "{}", "attributes": {"request_id": dead}}
    fetched_by_nobody = run.ask("utils")
    body = run.reply(fetched_by_nobody, run.debts(), op="utils")["reply"]
    run.events.pop()
    place = {"owner": "ada", "queue_name": "queue-ada", "replies": [body]}
    run.final = {"dead_letters": [letter], "replies": [place]}


@valid()
def a_corrected_bill_is_no_debt_and_can_not_be_paid(run: RunBuilder) -> None:
    bill = run.bill()
    new = run.revise(bill, 300)
    run.reject("bill_void", bill)
    run.reject("total_changed", new, key="low", expected=100, data={"total_minor": 300})
    run.pay(new, key="right")
    run.look()


@valid()
def a_key_used_for_another_payment_is_rejected_and_the_first_one_stands(run: RunBuilder) -> None:
    first, second = run.bill(), run.bill()
    payment = run.pay(first)
    run.reject("idempotency_key_reused", second, data={})
    run.reply(run.ask(bills=[first], key="key"), run.receipt(payment))


@valid()
def a_login_during_faults_may_be_dropped(run: RunBuilder) -> None:
    run.event("phase", name="faults_begin")
    run.ask("auth", apartment=None, login="password")
    run.event("phase", name="faults_end")
    run.login()


@valid()
def the_parts_of_two_answers_lie_side_by_side(run: RunBuilder) -> None:
    first, second = run.bill(), run.bill()
    request_id = run.ask("utils")
    before = run.debts()
    run.pay(first)
    after = run.debts()
    halves = [{**before, "debts": [debt]} for debt in before["debts"]]
    run.reply(request_id, halves[1], op="utils", part=2, parts=2)
    run.reply(request_id, after, op="utils")
    run.reply(request_id, halves[0], op="utils", part=1, parts=2)
    assert after["debts"][0]["bill_id"] == second


@pytest.mark.parametrize(("build", "invariants"), valid.parameters)
def test_the_checker_accepts(build: Callable[[RunBuilder], None], invariants: set[str]) -> None:
    run = RunBuilder()
    build(run)
    assert run.broken() == invariants

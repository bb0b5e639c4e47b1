"""The checker accepts what is unusual and yet as promised: most of it is in the eventful run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.eventful_run import eventful_run
from tests.chaos.run_builder import Json, RunBuilder

Step = Callable[[RunBuilder], object]


def carry_out_a_request_whose_connection_broke(run: RunBuilder) -> None:
    run.ask(bills=["open"], key="key", outcome=0)
    payment = run.book(["open"], key="key")
    run.reply(run.ask(bills=["open"], key="key"), run.receipt(payment))
    run.look()


def answer_a_lost_request_without_a_key(run: RunBuilder) -> None:
    run.ask(bills=["open"], name="lost", outcome=502)
    run.reply("lost", run.receipt(run.book(["open"], key="lost")))


def show_a_debt_to_who_asked_before_it_was_paid(run: RunBuilder) -> None:
    before, request_id = run.debts(), run.ask("utils")
    run.pay("open")
    run.reply(request_id, before)


def show_a_debt_before_the_operator_knows_of_its_reversal(run: RunBuilder) -> None:
    began = run.t + 0.5
    run.book_reversal("payment-1")
    run.look()
    answer = {"status": "rejected", "code": "payment_already_reversed"}
    told = {"answer": answer, "attempts": 2, "t0": began}
    run.call("reverse", {"payment_id": "payment-1"}, None, **told)


def move_out_while_paying(run: RunBuilder) -> None:
    run.grant("ada", "den", None)
    place: Json = {"apartment": "den", "bills": ["den's"]}
    paid, rejected = run.ask(**place, key="paid"), run.ask(**place, key="rejected")
    payment = run.book(["den's"], key="paid")
    run.end("ada", "den")
    run.reply(paid, run.receipt(payment))
    run.reply(rejected, {"bills": ["den's"], "bills_count": 1}, code="bill_not_found")
    run.reply(run.ask(**place, key="paid"), run.receipt(payment))


def never_learn_who_lives_where(run: RunBuilder) -> None:
    for user, action in (("ada", "end"), ("eve", "grant")):
        args = {"user": user, "apartment": "home", "since": None}
        run.call(action, args, None, answer=None, unknown=True)
        run.look(user)


def see_less_of_the_history_after_moving_in_again(run: RunBuilder) -> None:
    run.end("ada", "home")
    run.look()
    since = run.instant()
    run.grant("ada", "home", since)
    run.pay("open")
    assert len(run.sync(since=since)["events"]) == 1


def get_parts_of_two_answers_in_turn(run: RunBuilder) -> None:
    before, request_id = run.debts(), run.ask("utils")
    run.pay("open")
    after = run.debts()
    run.reply_in_parts(request_id, before, 2)
    run.reply(request_id, after)
    run.reply_in_parts(request_id, before, 1)


def answer_a_read_a_day_later(run: RunBuilder) -> None:
    later = run.debts()
    for row in later["debts"]:
        row["days_overdue"] += 1
    run.reply("last look", later)


def reinstate_and_look(run: RunBuilder) -> None:
    run.reinstate("void", "void again")
    run.look()


ACCEPTED: dict[str, Step] = {
    "a request whose connection broke is carried out": carry_out_a_request_whose_connection_broke,
    "a lost request without a key is answered": answer_a_lost_request_without_a_key,
    "an answer comes twice": lambda run: run.reply("pay one", run.data("pay one")),
    "an answer comes to a second request with the key": (
        lambda run: run.reply(run.ask(bills=["reversed"], key="two"), run.data("pay one"))
    ),
    "parts of a receipt come again in any order": (
        lambda run: run.reply_in_parts("pay two", run.receipt("payment-1"), 2, 1, 1, 2)
    ),
    "one read is answered at two versions": lambda run: run.reply("first look", run.debts()),
    "one read is answered at two moments": answer_a_read_a_day_later,
    "two answers at two versions come in turn": get_parts_of_two_answers_in_turn,
    "a payment that was done fails at another attempt": (
        lambda run: run.reply(
            run.ask(bills=["reversed"], key="two"), code="payment_outcome_unknown", status="failed"
        )
    ),
    "a rejection is repeated after its reason has gone": (
        lambda run: run.reject("bill_already_paid", "reversed", key="again")
    ),
    "a bill is paid again after a reversal": lambda run: run.pay("reversed", key="third"),
    "a read began before a payment": show_a_debt_to_who_asked_before_it_was_paid,
    "a reversal has no answer yet": show_a_debt_before_the_operator_knows_of_its_reversal,
    "a payer moves out meanwhile": move_out_while_paying,
    "an operator's calls have no outcome": never_learn_who_lives_where,
    "a resident moves in again": see_less_of_the_history_after_moving_in_again,
    "a clock that went back hides who moved in just now": (
        lambda run: run.reject("apartment_not_found", op="utils", user="bob")
    ),
    "a neighbour sees the same": lambda run: run.look("bob"),
    "a neighbour's payment stands in the way": (
        lambda run: run.reject("bill_already_paid", "keyless", key="late")
    ),
    "a resident asks to pay another's bill": (
        lambda run: run.reject("bill_not_found", "paid", user="eve", apartment="den", key="own")
    ),
    "a wrong password is rejected": (
        lambda run: run.reject("invalid_credentials", op="auth", apartment=None, login="wrong")
    ),
    "a forged token is rejected": lambda run: run.ask("utils", forged=True, outcome=401),
    "a corrected bill can't be paid": lambda run: run.reject("bill_void", "corrected"),
    "a void is taken back": reinstate_and_look,
    "an old total is rejected": (
        lambda run: run.reject(
            "total_changed",
            "open",
            expected=100,
            data={"total_minor": 300, "expected_total_minor": 100},
        )
    ),
    "a key was used for another payment": (
        lambda run: run.reject("idempotency_key_reused", "open", key="two")
    ),
    "a key was used with another total": (
        lambda run: run.reject("idempotency_key_reused", "reversed", key="two", expected=5)
    ),
    "a sync that ends": lambda run: run.sync(),
}


@pytest.mark.parametrize("change", [pytest.param(s, id=what) for what, s in ACCEPTED.items()])
def test_the_checker_accepts(change: Step) -> None:
    run = eventful_run()
    change(run)
    assert run.broken() == set()

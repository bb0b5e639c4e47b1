"""I5: requests without an answer, answers that differ, rejections for no reason."""

from __future__ import annotations

import pytest

from tests.support.tales import Tale
from tests.support.toy_books import LONG_AGO


def test_i5_a_request_that_nobody_ever_answered() -> None:
    tale = Tale()
    tale.ask("utils")
    assert tale.broken() == {"I5"}


def test_i5_a_request_of_which_one_part_never_came() -> None:
    tale = Tale()
    request_id = tale.ask("utils")
    tale.reply(request_id, tale.debts_data(), op="utils", part=1, parts=2)
    assert tale.broken() == {"I5"}


def test_i5_a_request_that_still_waits_is_not_answered() -> None:
    tale = Tale()
    request_id = tale.ask("utils")
    tale.final = {"waiting": [{"queue": "utils", "attributes": {"request_id": request_id}}]}
    [violation] = tale.verdict().violations
    assert "still waits" in violation.text


def test_i5_a_login_dropped_after_faults_ended() -> None:
    tale = Tale()
    tale.tell("phase", name="faults_begin")
    tale.tell("phase", name="faults_end")
    tale.ask("auth", apartment=None, login="password")
    assert tale.broken() == {"I5"}


def test_i5_two_receipts_for_one_key() -> None:
    tale = Tale()
    bill = tale.bill()
    payment = tale.pay(bill)
    again = tale.ask(bills=[bill], key="key")
    tale.reply(again, {**tale.receipt(payment), "settled_at": tale.instant()})
    assert {"I5"} <= tale.broken() <= {"I5", "I4"}


def test_i5_a_rejection_that_was_not_stored() -> None:
    tale = Tale()
    tale.apartment("den")
    tale.resident("eve", "den")
    bill = tale.bill()
    tale.reject("bill_not_found", bill, user="eve", apartment="den")
    tale.reject("apartment_not_found", bill, user="eve", apartment="den")
    assert "I5" in tale.broken()


def test_i5_one_read_with_two_answers_at_one_version() -> None:
    tale = Tale()
    tale.bill()
    request_id = tale.look()
    again = tale.debts_data()
    again["debts"][0]["utility"] = "water"
    tale.reply(request_id, again, op="utils")
    assert tale.broken() == {"I5"}


def test_i5_two_reads_that_differ_at_one_version() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.look()
    shown = tale.debts_data()["debts"][0]
    tale.look(debts=[{**shown, "amount_minor": 50}, {**shown, "bill_id": bill, "amount_minor": 50}])
    assert tale.broken() == {"I5"}


@pytest.mark.parametrize(
    "code",
    [
        "apartment_not_found",
        "bill_not_found",
        "bill_void",
        "bill_already_paid",
        "total_changed",
        "currency_mixed",
        "idempotency_key_reused",
        "invalid_request",
    ],
)
def test_i5_a_payment_rejected_for_a_reason_that_is_not_so(code: str) -> None:
    tale = Tale()
    tale.reject(code, tale.bill(), expected=100)
    assert tale.broken() == {"I5"}


def test_i5_a_bill_rejected_as_paid_before_anybody_asked_to_pay_it() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.reject("bill_already_paid", bill, key="early")
    tale.pay(bill)
    assert tale.broken() == {"I5"}


def test_i5_a_bill_rejected_as_paid_after_everybody_knew_of_the_reversal() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.reverse(tale.pay(bill))
    tale.reject("bill_already_paid", bill, key="late")
    assert tale.broken() == {"I5"}


def test_i5_a_rejection_that_names_a_bill_which_was_not_asked_for() -> None:
    tale = Tale()
    first, second = tale.bill(), tale.bill()
    tale.pay(first)
    tale.reject("bill_already_paid", second, key="second", data={"bills": [first]})
    assert tale.broken() == {"I5"}


def test_i5_a_clock_that_went_back_hides_nobody_who_moved_in_long_ago() -> None:
    tale = Tale()
    tale.grant("ada", "home")["args"]["since"] = LONG_AGO
    tale.tell("fault", name="clock_back", phase="begin", at={"seconds": 60})
    tale.reply(tale.ask("utils"), op="utils", code="apartment_not_found")
    assert tale.broken() == {"I5"}


def test_i5_a_right_password_that_was_rejected() -> None:
    tale = Tale()
    request_id = tale.ask("auth", apartment=None, login="password")
    tale.reply(request_id, op="auth", code="invalid_credentials")
    assert tale.broken() == {"I5"}


def test_i5_a_resident_who_was_told_that_there_is_no_such_apartment() -> None:
    tale = Tale()
    tale.reply(tale.ask("utils"), op="utils", code="apartment_not_found")
    assert tale.broken() == {"I5"}

"""I4, I6: what clients were told of payments, and what the books say."""

from __future__ import annotations

from tests.support.tales import Tale


def paid() -> tuple[Tale, str, str]:
    """Return a tale with one paid bill, and both ids."""
    tale = Tale()
    bill = tale.bill()
    return tale, bill, tale.pay(bill)


# I4 ----------------------------------------------------------------------------------------------


def test_i4_an_answer_before_the_commit_that_never_came() -> None:
    tale, _, payment = paid()
    for table in ("payments", "payment_lines", "payment_requests", "settled_bills", "history"):
        tale.drop(table, payment_id=payment)
    assert "I4" in tale.broken()


def test_i4_a_receipt_that_lists_a_bill_that_was_not_paid() -> None:
    tale, _, _ = paid()
    line = tale.events[-1]["reply"]["data"]["lines"][0]
    tale.events[-1]["reply"]["data"]["lines"].append({**line, "bill_id": tale.bill()})
    assert "I4" in tale.broken()


def test_i4_a_receipt_in_parts_that_lost_a_line() -> None:
    tale = Tale()
    bills = [tale.bill(), tale.bill(), tale.bill()]
    request_id = tale.ask(bills=bills, key="key")
    payment = tale.book(bills, key="key")
    whole = tale.receipt(payment)
    for part in (1, 2):
        lines = [whole["lines"][part]]
        tale.reply(request_id, {**whole, "lines": lines}, part=part, parts=2)
    assert tale.broken() == {"I2", "I4"}


def test_i4_a_receipt_with_another_number_than_the_books() -> None:
    tale, _, _ = paid()
    tale.events[-1]["reply"]["data"]["receipt_number"] = "R-0"
    assert tale.broken() == {"I4"}


def test_i4_a_provider_renamed_in_an_old_receipt() -> None:
    tale, _, _ = paid()
    tale.events[-1]["reply"]["data"]["lines"][0]["provider"] = "South Gas"
    assert tale.broken() == {"I4"}


def test_i4_a_receipt_for_other_bills_than_were_asked_for() -> None:
    tale, _, payment = paid()
    other = tale.bill()
    request_id = tale.ask(bills=[other], key="other")
    tale.reply(request_id, tale.receipt(payment))
    assert "I4" in tale.broken()


def test_i4_a_payment_that_a_sync_showed_and_a_crash_took_away() -> None:
    tale, bill, _ = paid()
    tale.sync(final=False)
    tale.drop("payment_lines", bill_id=bill)
    assert "I4" in tale.broken()


def test_i4_a_lost_request_whose_receipt_is_not_in_the_books() -> None:
    tale, bill, payment = paid()
    lost = tale.ask(bills=[bill], outcome=0)
    tale.reply(lost, {**tale.receipt(payment), "payment_id": "payment-0"})
    assert "I4" in tale.broken()


# I6 ----------------------------------------------------------------------------------------------


def test_i6_a_payment_that_took_effect_and_was_rejected_when_it_came_again() -> None:
    tale = Tale()
    bill = tale.bill()
    request_id = tale.ask(bills=[bill], key="key")
    tale.book([bill], key="key")
    tale.reply(request_id, {"bills": [bill]}, code="bill_already_paid")
    assert tale.broken() == {"I6"}


def test_i6_a_payment_rejected_at_first_and_then_made_under_the_same_key() -> None:
    tale, bill, payment = paid()
    tale.reverse(payment)
    tale.reject("bill_already_paid", bill, key="key")
    assert "I6" in tale.broken()


def test_i6_a_redelivery_rejected_since_its_payer_moved_out() -> None:
    tale, bill, _ = paid()
    tale.end("ada", "home")
    request_id = tale.ask(bills=[bill], key="key")
    tale.reply(request_id, code="apartment_not_found")
    assert "I6" in tale.broken()


def test_i6_a_key_of_the_request_itself() -> None:
    tale = Tale()
    bill = tale.bill()
    request_id = tale.ask(bills=[bill])
    tale.book([bill], key=request_id)
    tale.reply(request_id, {"bills": [bill]}, code="bill_already_paid")
    assert tale.broken() == {"I6"}

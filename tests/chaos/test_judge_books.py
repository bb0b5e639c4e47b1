"""I1, I2, I3, I8: books that contradict themselves."""

from __future__ import annotations

from tests.support.tales import Tale


def paid() -> tuple[Tale, str, str]:
    """Return a tale with one paid bill, and both ids."""
    tale = Tale()
    bill = tale.bill()
    return tale, bill, tale.pay(bill)


# I1 ----------------------------------------------------------------------------------------------


def test_i1_a_bill_that_two_payments_settled() -> None:
    tale, bill, _ = paid()
    tale.book([bill], key="second")
    assert "I1" in tale.broken()


def test_i1_a_reversed_payment_that_still_settles_its_bill() -> None:
    tale, bill, payment = paid()
    tale.reverse(payment)
    tale.tables["settled_bills"].append({"bill_id": bill, "payment_id": payment})
    assert "I1" in tale.broken()


def test_i1_a_line_that_stands_and_settles_nothing() -> None:
    tale, bill, _ = paid()
    tale.drop("settled_bills", bill_id=bill)
    assert "I1" in tale.broken()


# I2 ----------------------------------------------------------------------------------------------


def test_i2_a_payment_that_lost_a_line() -> None:
    tale = Tale()
    first, second = tale.bill(), tale.bill()
    tale.pay(first, second)
    tale.drop("payment_lines", bill_id=second)
    assert "I2" in tale.broken()


def test_i2_a_payment_in_two_currencies() -> None:
    tale = Tale()
    first, second = tale.bill(), tale.bill(currency="USD")
    tale.pay(first, second)
    assert "I2" in tale.broken()


def test_i2_a_line_that_says_another_amount_than_its_bill() -> None:
    tale, bill, payment = paid()
    tale.row("payment_lines", bill_id=bill)["amount_minor"] = 99
    tale.row("payments", payment_id=payment)["total_minor"] = 99
    assert "I2" in tale.broken()


def test_i2_a_receipt_whose_total_is_not_that_of_its_lines() -> None:
    tale, _, _ = paid()
    tale.events[-1]["reply"]["data"]["total_minor"] = 101
    assert "I2" in tale.broken()


# I3 ----------------------------------------------------------------------------------------------


def test_i3_a_bill_that_is_open_and_paid() -> None:
    tale, bill, _ = paid()
    tale.tables["open_bills"].append({"bill_id": bill})
    assert tale.broken() == {"I3"}


def test_i3_a_bill_that_vanished() -> None:
    tale = Tale()
    tale.drop("open_bills", bill_id=tale.bill())
    assert tale.broken() == {"I3"}


def test_i3_a_withdrawn_bill_that_is_still_open() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.void(bill)
    tale.tables["open_bills"].append({"bill_id": bill})
    assert "I3" in tale.broken()


def test_i3_debts_that_lack_an_open_bill() -> None:
    tale = Tale()
    tale.bill()
    tale.look(debts=[], total_minor=0)
    assert tale.broken() == {"I3"}


def test_i3_debts_whose_total_is_not_their_sum() -> None:
    tale = Tale()
    tale.bill()
    tale.look(total_minor=1)
    assert tale.broken() == {"I3"}


# I8 ----------------------------------------------------------------------------------------------


def test_i8_a_gap_in_the_history() -> None:
    tale, bill, _ = paid()
    tale.row("history", bill_id=bill)["seq"] = 2
    tale.state("home")["last_seq"] = 2
    assert tale.broken() == {"I8"}


def test_i8_instants_that_stand_still() -> None:
    tale, bill, _ = paid()
    other = tale.bill()
    tale.pay(other, key="other")
    tale.row("history", bill_id=other)["posted_at"] = tale.row("history", bill_id=bill)["posted_at"]
    assert "I8" in tale.broken()


def test_i8_a_head_that_is_not_the_last_event() -> None:
    tale, _, _ = paid()
    tale.state("home")["last_seq"] = 2
    assert tale.broken() == {"I8"}


def test_i8_a_payment_that_did_not_move_the_version() -> None:
    tale, _, _ = paid()
    tale.state("home")["version"] -= 1
    assert tale.broken() == {"I8"}


def test_i8_a_version_that_moved_without_a_change() -> None:
    tale, _, _ = paid()
    tale.state("home")["version"] += 1
    assert tale.broken() == {"I8"}

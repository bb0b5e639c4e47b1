"""I7: what is another's."""

from __future__ import annotations

from tests.support.tales import Tale


def neighbours() -> Tale:
    """Return a tale in which eve has an apartment of her own."""
    tale = Tale()
    tale.apartment("den")
    tale.resident("eve", "den")
    return tale


def test_i7_a_reply_that_somebody_else_polled() -> None:
    tale = neighbours()
    tale.look()
    body = tale.events[-1]["reply"]
    place = {"user": "eve", "client": "client-eve", "queue_name": "queue-ada"}
    tale.tell("reply", op="utils", reply=body, **place)
    assert tale.broken() == {"I7"}


def test_i7_a_reply_in_another_queue_of_its_asker() -> None:
    tale = Tale()
    tale.look()
    tale.events[-1]["queue_name"] = "another-queue"
    assert tale.broken() == {"I7"}


def test_i7_a_reply_that_nobody_asked_for() -> None:
    tale = Tale()
    tale.reply("request-0", tale.debts_data(), op="utils")
    assert tale.broken() == {"I7"}


def test_i7_a_reply_left_in_the_queue_of_another() -> None:
    tale = neighbours()
    tale.look()
    body = tale.events[-1]["reply"]
    queue = {"owner": "eve", "queue_name": "queue-ada", "replies": [body]}
    tale.final = {"replies": [queue]}
    assert tale.broken() == {"I7"}


def test_i7_debts_of_an_apartment_where_one_never_lived() -> None:
    tale = neighbours()
    tale.bill()
    tale.look("eve", "home")
    assert tale.broken() == {"I7"}


def test_i7_debts_shown_after_one_moved_out() -> None:
    tale = Tale()
    tale.end("ada", "home")
    tale.look()
    assert tale.broken() == {"I7"}


def test_i7_bills_of_another_apartment_among_ones_own() -> None:
    tale = neighbours()
    tale.bill()
    foreign = tale.debts_data("home")["debts"]
    tale.look("eve", "den", debts=foreign, total_minor=100)
    assert "I7" in tale.broken()


def test_i7_history_from_before_one_moved_in() -> None:
    tale = neighbours()
    tale.pay(tale.bill())
    tale.grant("eve", "home", since=tale.instant())
    request_id = tale.ask("histories", "eve", "home")
    tale.reply(request_id, tale.history_data("home"), op="histories", user="eve")
    assert tale.broken() == {"I7"}


def test_i7_a_payment_by_one_who_had_moved_out() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.end("ada", "home")
    tale.pay(bill)
    assert tale.broken() == {"I7"}


def test_i7_a_payment_that_nobody_asked_for() -> None:
    tale = Tale()
    bill = tale.bill()
    tale.look()
    tale.book([bill], key="key")
    assert tale.broken() == {"I7"}


def test_i7_a_forged_token_that_was_believed() -> None:
    tale = Tale()
    request_id = tale.ask("utils", forged=True)
    tale.reply(request_id, tale.debts_data(), op="utils")
    assert tale.broken() == {"I7"}


def test_i7_a_login_that_gave_the_token_of_another() -> None:
    tale = neighbours()
    tale.login()
    tale.events[-1]["reply"]["data"]["tokens"]["sub"] = "eve"
    assert tale.broken() == {"I7"}


def test_i7_a_login_that_lists_an_apartment_of_another() -> None:
    tale = neighbours()
    tale.login("ada", "home", "den")
    assert tale.broken() == {"I7"}


def test_i7_a_wrong_password_that_was_right() -> None:
    tale = Tale()
    tale.login()
    tale.events[-3]["login"] = "wrong"
    assert tale.broken() == {"I7"}

"""The checker finds what breaks an invariant, in a run in which all else is as promised."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.eventful_run import NAME, PASSWORD, TOKEN, eventful_run, leave_in_queue
from tests.chaos.run_builder import RunBuilder, debt
from tools.chaos.checker import NAMES

Step = Callable[[RunBuilder], object]


def show(run: RunBuilder, bill_id: str, where: str = "last look") -> None:
    """Show a bill among debts which it isn't."""
    shown, row = run.data(where), debt(run.row("bills", bill_id=bill_id))
    shown["debts"].append(row)
    shown["total_minor"] += row["amount_minor"]


def hide_a_reinstated_bill(run: RunBuilder) -> None:
    run.reinstate("void", "void again")
    run.look(name="late look")
    shown = run.data("late look")
    [hidden] = [row for row in shown["debts"] if row["bill_id"] == "void again"]
    shown["debts"].remove(hidden)
    shown["total_minor"] -= hidden["amount_minor"]


def lose(run: RunBuilder, payment_id: str) -> None:
    """Take a payment from the ledger as if it had never been committed."""
    for table in ("payments", "payment_lines", "payment_requests", "settled_bills", "history"):
        run.drop(table, payment_id=payment_id)


def reject_before_payment(run: RunBuilder) -> None:
    run.reject("bill_already_paid", "open", key="early")
    run.pay("open", key="late")


def say_rejected(run: RunBuilder, request_id: str, bill_id: str) -> None:
    answer = run.came(request_id)["reply"]
    answer.update(status="rejected", code="bill_already_paid", data={"bills": [bill_id]})


def end_last_frame(run: RunBuilder, **frame: str) -> None:
    """Let the frame of a last sync begin or end elsewhere; the copy is right for that frame."""
    copy = run.sync()
    copy["frame"].update(frame)
    down, up = copy["frame"]["date_down"], copy["frame"]["date_up"]
    rows = [run.row("history", event=e, payment_id=p, bill_id=b) for e, p, b in copy["events"]]
    copy["events"] = [
        held
        for held, row in zip(copy["events"], rows, strict=True)
        if down <= row["posted_at"] < up
    ]


def miss_an_answered_payment(run: RunBuilder) -> None:
    copy = run.sync(final=False)
    copy["frame"]["date_up"] = run.row("history", seq=5)["posted_at"]
    copy["events"].pop()


def leak_in_a_rejection(run: RunBuilder) -> None:
    run.reject("total_changed", "open", key="low", expected=1)
    run.events[-1]["reply"]["message"] = f"{NAME} can't pay that"


def posted(run: RunBuilder, seq: int) -> str:
    """Return the instant of an event of the home's history."""
    return str(run.row("history", seq=seq)["posted_at"])


def drained(run: RunBuilder) -> None:
    clients = [{"client": "client-ada", "user": "ada", "apartments": ["home"]}]
    run.event("phase", name="drained", clients=clients)


# By the invariants that are broken: what is wrong, and how the eventful run is changed for it.
BROKEN: dict[str, dict[str, Step]] = {
    "I2": {
        "a payment is in two currencies": (
            lambda run: run.pay("open", run.bill(currency="USD"), key="mixed")
        ),
        "a line has another amount than its bill": (
            lambda run: run.row("bills", bill_id="paid").update(amount_minor=99)
        ),
        "a line has another currency than its bill": (
            lambda run: run.row("bills", bill_id="paid").update(currency="USD")
        ),
    },
    "I3": {
        "a bill is open and paid": lambda run: run.add("open_bills", bill_id="paid"),
        "a bill vanished": lambda run: run.drop("open_bills", bill_id="open"),
        "a withdrawn bill is open": lambda run: run.add("open_bills", bill_id="void"),
        "debts lack an open bill": (
            lambda run: run.data("last look").update(debts=[], total_minor=0)
        ),
        "debts lack a reinstated bill": hide_a_reinstated_bill,
        "debts have another total": lambda run: run.data("last look").update(total_minor=1),
    },
    "I4": {
        "a receipt has another number": (
            lambda run: run.data("pay one").update(receipt_number="R-0")
        ),
        "a provider is renamed in a receipt": (
            lambda run: run.data("pay one")["lines"][0].update(provider="South Gas")
        ),
        "a receipt is for other bills than the request": (
            lambda run: run.sent["pay one"].update(bills=["open"])
        ),
        "a lost request's receipt is not in the ledger": (
            lambda run: run.reply(
                run.ask(bills=["open"], outcome=0),
                {**run.data("pay one"), "payment_id": "payment-0"},
            )
        ),
        "an event differs from the ledger": (
            lambda run: run.data("sync")["settled_debts"][0].update(provider="South Gas")
        ),
        "an event tells of a reversal that never was": (
            lambda run: run.data("sync")["settled_debts"][0].update(event="reversal")
        ),
    },
    "I5": {
        "a request was never answered": lambda run: run.ask("utils"),
        "a part never came": lambda run: run.came("last look")["reply"].update(parts=2),
        "a login after faults was dropped": (
            lambda run: run.ask("auth", apartment=None, login="password")
        ),
        "a rejection was not stored": (
            lambda run: run.reject("bill_not_found", "den's", user="eve", key="attack")
        ),
        "one read has two answers at one version": (
            lambda run: run.reply("last look", {**run.data("last look"), "currency": "USD"})
        ),
        "two reads differ at one version": lambda run: run.look(currency="USD"),
        "a bill is rejected as paid before anybody pays": reject_before_payment,
        "a bill is rejected as paid after its reversal": (
            lambda run: run.reject("bill_already_paid", "reversed", key="late")
        ),
        "a rejection names a bill of another request": (
            lambda run: run.reject("bill_already_paid", "open", key="x", data={"bills": ["paid"]})
        ),
        "a rejection names no bill": (
            lambda run: run.reject("bill_void", "open", key="x", data={})
        ),
        "a resident's apartment is not found": (
            lambda run: run.reject("apartment_not_found", op="utils")
        ),
        "the apartment of a grant that was repeated is not found": (
            lambda run: run.reject("apartment_not_found", op="utils", user="eve", apartment="den")
        ),
        "a right password is rejected": (
            lambda run: run.reject(
                "invalid_credentials", op="auth", apartment=None, login="password"
            )
        ),
    },
    "I6": {
        "a payment is made and rejected": lambda run: say_rejected(run, "pay one", "reversed"),
        "a payment without a key is made and rejected": (
            lambda run: say_rejected(run, "pay without key", "keyless")
        ),
    },
    "I7": {
        "somebody else gets a reply": (
            lambda run: run.came("last look").update(user="eve", client="client-eve")
        ),
        "a reply comes to another queue of its user": (
            lambda run: run.came("last look").update(queue_name="another")
        ),
        "a reply has no request that was accepted": (
            lambda run: run.reply(run.ask("utils", outcome=400), run.debts())
        ),
        "a reply is left in another's queue": (
            lambda run: leave_in_queue(run, "last look", "eve", "queue-ada")
        ),
        "a reply is left in another queue of its user": (
            lambda run: leave_in_queue(run, "last look", "ada", "another")
        ),
        "debts are shown to a stranger": lambda run: run.look("eve", "home"),
        "debts are shown to one who moved out": lambda run: run.look("mo", "home"),
        "an answer is about another apartment": (
            lambda run: run.data("eve looks").update(apartment_id="home")
        ),
        "debts have a bill of another apartment": (
            lambda run: show(run, "open", where="eve looks")
        ),
        "a frame begins before one moved in": (
            lambda run: run.reply(
                run.ask("histories", "bob"), {**run.history(), "settled_debts": []}
            )
        ),
        "history from before one moved in is shown": (
            lambda run: run.reply(
                run.ask("histories", "bob"),
                {
                    **run.history(),
                    "covered": {"date_down": posted(run, 5), "date_up": run.instant()},
                },
            )
        ),
        "one who moved out pays": lambda run: run.pay("open", user="mo", key="moved"),
        "a payment has no request": lambda run: run.book(["open"], key="nobody's"),
        "a forged token is accepted": (
            lambda run: run.reply(run.ask("utils", forged=True), run.debts())
        ),
        "a login gives another's token": (
            lambda run: run.data("login")["tokens"].update(sub="eve")
        ),
        "a login lists another's apartment": lambda run: run.login("ada", "home", "den"),
        "a login lacks an apartment": lambda run: run.data("login").update(apartments=[]),
        "a wrong password is accepted": lambda run: run.login(login="wrong"),
    },
    "I8": {
        "an event is missing": lambda run: run.drop("history", seq=3),
        "two events have one instant": (
            lambda run: run.row("history", seq=4).update(posted_at=posted(run, 3))
        ),
        "the head has another position": lambda run: run.state().update(last_seq=9),
        "the head has another instant": (
            lambda run: run.state().update(last_posted_at=posted(run, 1))
        ),
        "a change did not move the version": lambda run: run.state().update(version=3),
        "a version moved without a change": lambda run: run.state().update(version=99),
    },
    "I9": {
        "a paid bill is a debt at the new version": lambda run: show(run, "paid"),
        "a bill that a neighbour paid is a debt": lambda run: show(run, "keyless"),
        "a bill is a debt before its payment is reversed": (
            lambda run: show(run, "reversed", where="second look")
        ),
        "a withdrawn bill is a debt": lambda run: show(run, "void"),
        "a corrected bill is a debt": lambda run: show(run, "corrected"),
        "a version went back": (
            lambda run: run.data("last look").update(version=run.data("first look")["version"] + 1)
        ),
    },
    "I10": {
        "a sync lost a payment": lambda run: run.sync()["events"].pop(1),
        "a sync lost a reversal": lambda run: run.sync()["events"].pop(3),
        "an event is kept outside of the frame": (
            lambda run: run.sync(final=False)["frame"].update(date_down=posted(run, 2))
        ),
        "an event is held twice": (
            lambda run: run.sync()["events"].append(["payment", "payment-1", "paid"])
        ),
        "the last frame ends before the last event": (
            lambda run: end_last_frame(run, date_up=posted(run, 5))
        ),
        "the last frame begins late": lambda run: end_last_frame(run, date_down=posted(run, 2)),
        "a sync lacks a payment that was answered before": miss_an_answered_payment,
        "a client never got to its last sync": drained,
    },
    "I11": {
        "a dead letter has a password": (
            lambda run: run.final["dead_letters"][0].update(body=PASSWORD)
        ),
        "a dead letter's attribute has a name": (
            lambda run: run.final["dead_letters"][0]["attributes"].update(note=NAME)
        ),
        "an error has a token": (
            lambda run: run.event("error", status=401, body={"message": f"{TOKEN} has expired"})
        ),
        "a rejection has a name": leak_in_a_rejection,
    },
    "I1 I3": {
        "a reversed payment still settles its bill": (
            lambda run: run.add("settled_bills", bill_id="reversed", payment_id="payment-2")
        ),
        "a live payment settles nothing": lambda run: run.drop("settled_bills", bill_id="paid"),
    },
    "I1 I7": {
        "two payments settle a bill": lambda run: run.book(["paid"], key="unasked"),
    },
    "I2 I4": {
        "a receipt's total is not that of its lines": (
            lambda run: run.data("pay one").update(total_minor=101)
        ),
        "a receipt in parts lost a line": lambda run: run.data("pay two")["lines"].clear(),
    },
    "I3 I9": {
        "a stale read is shown": lambda run: run.look(**run.data("first look")),
    },
    "I4 I5": {
        "two receipts came for one key": (
            lambda run: run.reply(
                run.ask(bills=["reversed"], key="two"),
                {**run.data("pay one"), "settled_at": run.instant()},
            )
        ),
    },
    "I4 I7": {
        "a receipt is of a payment with another key": (
            lambda run: run.sent["pay without key"].update(key="another")
        ),
        "a receipt is of somebody else's payment": (
            lambda run: run.row("payments", payment_id="payment-2").update(
                resident_id="resident-eve"
            )
        ),
    },
    "I5 I6": {
        "a payment that comes again is rejected": (
            lambda run: run.reject("bill_already_paid", "reversed", key="two")
        ),
    },
    "I1 I2 I4": {
        "a payment lost a line": lambda run: run.drop("payment_lines", bill_id="second"),
    },
    "I1 I4 I7": {
        "a payment pays a bill of another apartment": (
            lambda run: run.row("payment_lines", bill_id="keyless").update(bill_id="den's")
        ),
    },
    "I3 I4 I8": {
        "an answered payment was never committed": lambda run: lose(run, "payment-3"),
    },
    "I3 I4 I8 I10": {
        "a payment that a sync showed is gone": lambda run: lose(run, "payment-1"),
    },
}
UNFOUNDED = (
    "apartment_not_found bill_not_found bill_void bill_already_paid total_changed currency_mixed"
    " idempotency_key_reused too_many_rejections invalid_request"
)
CASES = [
    pytest.param(set(invariants.split()), change, id=what)
    for invariants, changes in BROKEN.items()
    for what, change in changes.items()
]


@pytest.mark.parametrize(("invariants", "change"), CASES)
def test_the_checker_finds(invariants: set[str], change: Step) -> None:
    run = eventful_run()
    change(run)
    assert run.broken() == invariants


@pytest.mark.parametrize("code", UNFOUNDED.split())
def test_the_checker_finds_a_rejection_without_its_reason(code: str) -> None:
    run = eventful_run()
    run.reject(code, "open", key="new", expected=300)
    assert run.broken() == {"I5"}


def test_every_invariant_is_checked_in_the_eventful_run_and_broken_by_some_change() -> None:
    result = eventful_run().result()
    assert (result.violations, result.vacuous) == ([], ["I12"])
    assert {name for names in BROKEN for name in names.split()} == set(NAMES) - {"I12"}


def test_a_request_that_still_waits_is_told_from_one_that_is_gone() -> None:
    run = eventful_run()
    attributes = {"request_id": run.ask("utils")}
    run.ask("utils")
    run.final["waiting"] = [{"queue": "utils", "attributes": attributes}]
    waits, gone = (violation.text for violation in run.result().violations)
    assert "still waits" in waits
    assert "is nowhere" in gone

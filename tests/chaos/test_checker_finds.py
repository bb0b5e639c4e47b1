"""The checker finds what breaks an invariant, in a run in which all else is as promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from typing import Any

import pytest

from tests.chaos.eventful_run import NAME, PASSWORD, TOKEN, eventful_run, leave_in_queue
from tests.chaos.run_builder import Json, RunBuilder
from tools.chaos.checker import NAMES, rebuilt

Step = Callable[[RunBuilder], object]
LOOK = "last look"


# What is wrong in one place ----------------------------------------------------------------------


def said(where: str, rows: str = "", /, **values: Any) -> Step:
    """Say something else in the reply to a request, or in the first of its rows."""
    return lambda run: (run.data(where)[rows][0] if rows else run.data(where)).update(values)


def came(where: str, **fields: str) -> Step:
    """Have a reply come to somebody else or elsewhere."""
    return lambda run: run.came(where).update(fields)


def asked(where: str, **fields: Any) -> Step:
    """Have asked for something else."""
    return lambda run: run.sent[where].update(fields)


def row(table: str, where: Json, /, **values: Any) -> Step:
    """Have another row in the ledger."""
    return lambda run: run.row(table, **where).update(values)


def show(*added: str, without: str = "", where: str = LOOK) -> Step:
    """Show other bills among debts than there are; all else is right for these."""

    def step(run: RunBuilder) -> None:
        shown = run.data(where)
        bills = {one["bill_id"] for one in shown["debts"]} - {without} | {*added}
        shown.update(rebuilt.debts(run.ledger, bills, as_of=shown["as_of"]))

    return step


def reject(code: str, *bills: str, **fields: Any) -> Step:
    """Ask for something that is rejected, under a key of its own."""
    return lambda run: run.reject(code, *bills, **{"key": "new" if bills else None, **fields})


def fail(request_id: str) -> Step:
    """Say that a request failed, at a time without a fault, and nothing else of it."""

    def step(run: RunBuilder) -> None:
        run.events = [event for event in run.events if event["e"] != "fault"]
        run.came(request_id)["reply"].update(status="failed", code="service_unavailable", data=None)

    return step


def leave(status: str, code: str | None, **data: Any) -> Step:
    """Leave another answer to a payment in its queue."""

    def step(run: RunBuilder) -> None:
        leave_in_queue(run, "pay one", "ada", "queue-ada", {**run.data("pay one"), **data})
        run.final["replies"][-1]["replies"][0].update(status=status, code=code)

    return step


def lose(payment_id: str) -> Step:
    """Take a payment from the ledger as if it had never been committed."""
    tables = ("payments", "payment_lines", "payment_requests", "settled_bills", "history")

    def step(run: RunBuilder) -> None:
        for table in tables:
            run.drop(table, payment_id=payment_id)

    return step


# What is wrong in more than one ------------------------------------------------------------------


def hide_a_reinstated_bill(run: RunBuilder) -> None:
    run.reinstate("void", "void again")
    run.look(name="late look")
    show(without="void again", where="late look")(run)


def reject_before_payment(run: RunBuilder) -> None:
    run.reject("bill_already_paid", "open", key="early")
    run.pay("open", key="late")


def say_rejected(request_id: str, bill_id: str) -> Step:
    answer = {
        "status": "rejected",
        "code": "bill_already_paid",
        "data": {"bills": [bill_id], "bills_count": 1},
    }
    return lambda run: run.came(request_id)["reply"].update(answer)


def swap_lines(run: RunBuilder) -> None:
    first, second = (e for e in run.events if e.get("reply", {}).get("request_id") == "pay two")
    first["reply"]["data"], second["reply"]["data"] = (
        second["reply"]["data"],
        first["reply"]["data"],
    )


def show_after_the_history_told(run: RunBuilder) -> None:
    """Show a debt to one who has seen in the history that a neighbour paid it."""
    stale = run.debts()
    run.book(["open"], user="bob", key=run.ask(user="bob", bills=["open"], name="unheard"))
    run.final["dead_letters"][0]["attributes"] = {"request_id": "unheard"}
    run.reply("dead", code="bill_already_paid", data={"bills": ["open"], "bills_count": 1})
    run.sync(final=False)
    run.look(**{**stale, "version": run.state()["version"]})


def end_last_frame(**frame: str) -> Step:
    """Let the frame of a last sync begin or end elsewhere; the copy is right for that frame."""

    def step(run: RunBuilder) -> None:
        copy = run.sync()
        copy["frame"].update({edge: posted(run, int(seq)) for edge, seq in frame.items()})
        down, up = copy["frame"]["date_down"], copy["frame"]["date_up"]
        rows = [run.row("history", event=e, payment_id=p, bill_id=b) for e, p, b in copy["events"]]
        pairs = zip(copy["events"], rows, strict=True)
        copy["events"] = [held for held, one in pairs if down <= one["posted_at"] < up]

    return step


def sync_without_the_last(run: RunBuilder) -> None:
    data = run.history()
    data["covered"]["date_up"] = data["settled_debts"].pop()["posted_at"]
    run.reply(run.ask("histories"), data)


def see_too_much(run: RunBuilder) -> None:
    """Show bob, who came late, what was before, in a frame that begins when it should."""
    covered = run.history(posted(run, 5))["covered"]
    run.reply(run.ask("histories", "bob"), {**run.history(), "covered": covered})


def move_in_before_now(run: RunBuilder) -> None:
    since = posted(run, 1)
    run.row("residencies", resident_id="resident-bob").update(since=since)
    run.grant("eve", "home", None)["answer"]["data"]["since"] = since
    run.row("residencies", resident_id="resident-eve", apartment_id="home").update(since=since)


def posted(run: RunBuilder, seq: int) -> str:
    """Return the instant of an event of the home's history."""
    return str(run.row("history", seq=seq)["posted_at"])


def set_clock(run: RunBuilder) -> None:
    """Let the run have begun a day before what the service's clocks say."""
    run.events.insert(0, {"e": "start", "t": 0.0, "at": "2026-11-21T10:00:00.000000Z"})


def later_bill(run: RunBuilder) -> str:
    """Issue a bill of a period that began after mo moved out."""
    return run.bill("later", period_from="2027-01-01", period_to="2027-01-31")


def look_at_later(run: RunBuilder) -> None:
    later_bill(run)
    run.look("mo")


def leave_alone(run: RunBuilder) -> None:
    """Have all leave the home but bob, who came after the periods of its bills."""
    run.end("ada", "home")
    run.look("bob")


def show_what_bob_alone_sees(run: RunBuilder) -> None:
    run.row("history", bill_id="keyless").update(for_payer_alone=True)
    run.reply(run.ask("histories"), run.history())


def drained(run: RunBuilder) -> None:
    clients = [{"client": "client-ada", "user": "ada", "apartments": ["home"]}]
    run.event("phase", name="drained", clients=clients)


def leak(text: str, **fields: Any) -> Step:
    """Have a text in the message of a rejection."""

    def step(run: RunBuilder) -> None:
        run.reject("apartment_not_found", op="utils", user="eve")
        run.events[-1]["reply"].update({"message": text, **fields})

    return step


# By the invariants that are broken: what is wrong, and how the eventful run is changed for it.
BROKEN: dict[str, dict[str, Step]] = {
    "I2": {
        "two currencies are paid": (
            lambda run: run.pay("open", run.bill(currency="USD"), key="mixed")
        ),
    },
    "I3": {
        "a bill is open and paid": lambda run: run.add("open_bills", bill_id="paid"),
        "a bill vanished": lambda run: run.drop("open_bills", bill_id="open"),
        "a withdrawn bill is open": lambda run: run.add("open_bills", bill_id="void"),
        "a bill is not as it was issued": row("bills", {"bill_id": "den's"}, due_on="2026-11-14"),
        "an issued bill is not there": lambda run: run.call(
            "issue",
            {"file": {"import_id": "lost", "lines": [{}]}},
            {"lines": [{"result": "issued", "bill_id": "lost"}]},
        ),
        "debts lack an open bill": show(without="open"),
        "debts lack a bill that is paid later": show(without="keyless", where="second look"),
        "debts lack a bill whose payment was reversed": show(without="reversed"),
        "debts lack a reinstated bill": hide_a_reinstated_bill,
        "a debt is shown twice": lambda run: run.data(LOOK)["debts"].append(
            run.data(LOOK)["debts"][0]
        ),
        "debts are in another order": lambda run: run.data(LOOK)["debts"].reverse(),
        "debts have more than the contract says": said(LOOK, note=""),
    },
    "I4": {
        "a receipt has its lines in another order": swap_lines,
        "a lost request's receipt is not in the ledger": (
            lambda run: run.reply(
                run.ask(bills=["open"], outcome=0),
                {**run.data("pay one"), "payment_id": "payment-0"},
            )
        ),
    },
    "I5": {
        "a request was never answered": lambda run: run.ask("utils"),
        "a part never came": lambda run: run.came(LOOK)["reply"].update(parts=2),
        "a login was dropped": lambda run: run.ask("auth", apartment=None, login="password"),
        "a read only failed, without a fault": fail("first look"),
        "a payment that was made only failed, without a fault": fail("pay one"),
        "a rejection was not stored": reject("bill_not_found", "den's", user="eve", key="attack"),
        "one read has two answers at one version": (
            lambda run: run.reply("sync", {**run.data("sync"), "cursor": "another"})
        ),
        "a bill is rejected as paid before anybody pays": reject_before_payment,
        "a bill is rejected as paid after its reversal": reject("bill_already_paid", "reversed"),
        "it names another bill": reject(
            "bill_already_paid", "open", data={"bills": ["paid"], "bills_count": 1}
        ),
        "a rejection names no bill": reject("bill_void", "open", data={}),
        "it names only one": (
            reject(
                "bill_already_paid", "paid", "second", data={"bills": ["paid"], "bills_count": 1}
            )
        ),
        "another's bill is paid": reject("bill_already_paid", "paid", user="eve", apartment="den"),
        "another's bill is void": reject("bill_void", "void", user="eve", apartment="den"),
        "a stranger is told of a bill": reject("bill_already_paid", "paid", user="eve"),
        "a new total is wrong": (
            reject("total_changed", "open", expected=1, data={"total_minor": 2})
        ),
        "mixed currencies are not those of the bills": (
            reject("currency_mixed", "open", data={"currencies": ["EUR", "USD"]})
        ),
        "a frame that the service gave is unknown": (
            lambda run: run.reject(
                "history_frame_unknown", op="histories", held=run.data("sync")["covered"]
            )
        ),
        "a client that holds nothing has no frame": reject("history_frame_unknown", op="histories"),
        "a resident's apartment is not found": reject("apartment_not_found", op="utils"),
        "the apartment of a grant that was repeated is not found": (
            reject("apartment_not_found", op="utils", user="eve", apartment="den")
        ),
        "a right password is rejected": (
            reject("invalid_credentials", op="auth", apartment=None, login="password")
        ),
        "a receipt with another number is left in a queue": leave("done", None, receipt_number="R"),
        "a reply left in a queue rejects a read": lambda run: leave_in_queue(
            run, run.ask("utils"), "ada", "queue-ada", code="apartment_not_found"
        ),
    },
    "I5 I6": {
        "a repeated payment is rejected": reject("bill_already_paid", "reversed", key="two"),
        "a rejection of what was paid is left in a queue": leave("rejected", "bill_void"),
    },
    "I6": {
        "a payment is made and rejected": say_rejected("pay one", "reversed"),
        "a payment without a key is made and rejected": say_rejected("pay without key", "keyless"),
    },
    "I7": {
        "somebody else gets a reply": came(LOOK, user="eve", client="client-eve"),
        "a reply comes to another queue of its user": came(LOOK, queue_name="another"),
        "a reply has no request": lambda run: run.reply(run.ask("utils", outcome=400), run.debts()),
        "a reply lies in another's queue": (
            lambda run: leave_in_queue(run, LOOK, "eve", "queue-ada")
        ),
        "a reply lies in another queue": lambda run: leave_in_queue(run, LOOK, "ada", "another"),
        "debts are shown to a stranger": lambda run: run.look("eve", "home"),
        "a bill of later is shown to one who moved out": look_at_later,
        "a former resident's debt is shown as one's own": leave_alone,
        "a residency from now on begins before what was known": move_in_before_now,
        "a residency counts from another instant than was said": (
            row("residencies", {"resident_id": "resident-ada"}, since="2019-01-01T00:00:00Z")
        ),
        "one who moved out pays a bill of later": (
            lambda run: run.pay(later_bill(run), user="mo", key="moved")
        ),
        "a receipt is of somebody else's payment": (
            row("payments", {"payment_id": "payment-2"}, resident_id="resident-eve")
        ),
        "a payment has no request": lambda run: run.book(["open"], key="nobody's"),
        "a forgery is accepted": lambda run: run.reply(run.ask("utils", forged=True), run.debts()),
        "a login lists another's apartment": lambda run: run.login("eve", "home", "den"),
        "a wrong password is accepted": lambda run: run.login("eve", "den", login="wrong"),
    },
    "I3 I7": {
        "debts have a bill of another apartment": show("open", where="eve looks"),
    },
    "I8": {
        "an event is missing": lambda run: run.drop("history", seq=3),
        "a payment of two bills has one event": lambda run: run.drop("history", bill_id="second"),
        "a reversal has no event": lambda run: run.drop("history", event="reversal"),
        "a payment that stands has a reversal's event": (
            lambda run: run.add("history", **{**run.row("history", seq=1), "event": "reversal"})
        ),
        "two events have one instant": lambda run: row(
            "history", {"seq": 4}, posted_at=posted(run, 3)
        )(run),
        "the head has another position": lambda run: run.state().update(last_seq=9),
        "the head has a late instant": (
            lambda run: run.state().update(last_posted_at=posted(run, 1))
        ),
        "a change did not move the version": lambda run: run.state("den").update(version=2),
        "a version moved without a change": lambda run: run.state().update(version=99),
        "the ledger finds a contradiction itself": (
            lambda run: run.final.update(violations=[{"rule": "a", "subject": "b"}])
        ),
    },
    "I9": {
        "a paid bill is a debt at the new version": show("paid"),
        "a bill that a neighbour paid is a debt": show("keyless"),
        "a bill is a debt before its payment is reversed": show("reversed", where="second look"),
        "a withdrawn bill is a debt": show("void"),
        "a corrected bill is a debt": show("corrected"),
        "a version went back": lambda run: said(
            "second look", version=run.data("first look")["version"] - 1
        )(run),
        "what the history told is paid is a debt": show_after_the_history_told,
    },
    "I3 I9": {
        "a stale read is shown": lambda run: run.look(**run.data("first look")),
    },
    "I10": {
        "a sync lost a payment": lambda run: run.sync()["events"].pop(1),
        "a sync lost a reversal": lambda run: run.sync()["events"].pop(3),
        "an event is kept outside of the frame": (
            lambda run: run.sync(final=False)["frame"].update(date_down=posted(run, 2))
        ),
        "one is held twice": (
            lambda run: run.sync()["events"].append(["payment", "payment-1", "paid"])
        ),
        "the last frame ends before the last event": end_last_frame(date_up="5"),
        "the last frame begins late": end_last_frame(date_down="2"),
        "an answer ends before what was known": sync_without_the_last,
        "an answer has an event twice": lambda run: run.data("sync")["settled_debts"].append(
            run.data("sync")["settled_debts"][0]
        ),
        "an answer is in another order": lambda run: run.data("sync")["settled_debts"].reverse(),
        "a client never got to its last sync": drained,
    },
    "I11": {
        "a letter has a password": lambda run: run.final["dead_letters"][0].update(body=PASSWORD),
        "a dead letter's attribute has a name": (
            lambda run: run.final["dead_letters"][0]["attributes"].update(note=NAME)
        ),
        "an error has a token": (
            lambda run: run.event("error", status=401, body={"message": f"{TOKEN} has expired"})
        ),
        "a rejection has a name": leak(f"{NAME} can't see that"),
        "an answer that was done has a name": (
            lambda run: run.came("pay one")["reply"].update(message=f"Paid by {NAME}")
        ),
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
    "I2 I3": {
        "a line has another amount": row("bills", {"bill_id": "paid"}, amount_minor=99),
        "a line has another currency": row("bills", {"bill_id": "paid"}, currency="USD"),
    },
    "I3 I8": {
        "debts and payments are of another day": set_clock,
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
        "a receipt is for other bills than the request": asked("pay one", bills=["open"]),
        "a payment is made though the total was another": asked("pay one", expected=99),
        "a receipt is of a payment with another key": asked("pay without key", key="another"),
    },
    "I1 I3 I4 I7 I8": {
        "another's bill is paid": row("payment_lines", {"bill_id": "keyless"}, bill_id="den's"),
    },
    "I1 I2 I3 I4 I7 I8 I10": {
        "a payment lost a line": lambda run: run.drop("payment_lines", bill_id="second"),
    },
    "I3 I4 I8 I9": {
        "an answered payment was never committed": lose("payment-3"),
    },
    "I3 I4 I8 I9 I10": {
        "a payment that a sync showed is gone": lose("payment-1"),
    },
    "I4 I8": {
        "a payment was settled a day before its events": (
            row("payments", {"payment_id": "payment-3"}, settled_at="2026-11-23T10:00:00.000000Z")
        ),
    },
    "I7 I10": {
        "an event for its payer alone is shown to another": show_what_bob_alone_sees,
        "a frame begins before one moved in": (
            lambda run: run.reply(
                run.ask("histories", "bob"), {**run.history(), "settled_debts": []}
            )
        ),
        "history from before one moved in is shown": see_too_much,
    },
    "I7 I8": {
        "a payment was reversed a day after its events": (
            row("reversals", {}, reversed_at="2026-11-23T10:00:00.000000Z")
        ),
    },
}
UNFOUNDED = (
    "apartment_not_found bill_not_found bill_void bill_already_paid total_changed currency_mixed"
    " idempotency_key_reused too_many_rejections invalid_request request_expired"
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


def fields_of(node: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Give the way to each value in an answer, and to each list that holds something."""
    if isinstance(node, dict | list):
        names = node if isinstance(node, dict) else range(len(node))
        yield from (way for name in names for way in fields_of(node[name], *path, name))
    if not isinstance(node, dict) and node != [] and not {"as_of", "cursor"} & {*path}:
        yield path


ANSWERS = ("first look", LOOK, "eve looks", "pay two", "pay one", "sync", "login")
FIELDS = [(name, *way) for name in ANSWERS for way in fields_of(eventful_run().data(name))]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: " ".join(map(str, field)))
def test_the_checker_finds_whatever_is_wrong_in_an_answer(field: tuple[Any, ...]) -> None:
    run = eventful_run()
    *way, last = field[1:]
    node = reduce(getitem, way, run.data(field[0]))
    value = node[last]
    node[last] = value[:-1] if isinstance(value, list) else [value]
    if isinstance(value, int):
        node[last] = value + 1
    elif isinstance(value, str):
        node[last] = run.instant() if "T" in value else f"{value}x"
    assert run.broken()


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

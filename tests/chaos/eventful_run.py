"""A run in which everything happens and nothing that may not: what tests break, in one way each."""

from __future__ import annotations

from tests.chaos.run_builder import LONG_AGO, Json, RunBuilder

PASSWORD = "Canary-3f9a1c55e0-Aa1!"
NAME = "Kanarek77aa01 Коваленко"
TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJhZGEiLCJhdWQiOiJjbGllbnQifQ.c2lnbmF0dXJlLW9mLWFkYQ"
RECEIPT = "AQEB+receipt/of=ada=="


def eventful_run() -> RunBuilder:
    """Build a run in which everything happens, and nothing that may not.

    At its end bills `paid` and `second` (payment-1) and `keyless` (payment-3, by bob) are paid;
    `reversed` was (payment-2) and is open again; so is `open`, which replaces `corrected`; `void`
    is withdrawn. Of ada's neighbours bob came late, and mo has moved out; eve lives in `den`.
    """
    run = RunBuilder()
    secrets = {"password": PASSWORD, "name": NAME, "token": TOKEN, "receipt": RECEIPT}
    run.secrets = [{"kind": kind, "value": text, "user": "ada"} for kind, text in secrets.items()]
    run.logs = {"utils-1.log": '{"message": "request", "status": "done"}\n'}
    run.apartment("den")
    run.resident("eve", "den")
    run.events[-1].update(_found_done("residency_exists"))
    run.resident("mo", "home")
    grant_again(run, "mo")
    run.end("mo", "home").update(_found_done("residency_not_found"))
    run.event("phase", name="faults_begin")
    run.login(name="login")
    run.data("login")["resident"]["name"] = NAME
    # A login has no dead-letter queue.
    run.ask("auth", apartment=None, login="password")
    for bill in ("paid", "second", "reversed", "keyless", "void", "corrected"):
        run.bill(bill)
    run.bill("den's", "den")
    run.look(name="first look")
    run.pay("paid", "second", key="one", name="pay two")
    run.sync(final=False, name="sync")
    run.pay("reversed", key="two", name="pay one")
    run.reject("bill_already_paid", "reversed", key="again")
    run.look(name="second look")
    run.reverse("payment-2")
    run.resident("bob", "home", since=None)
    run.events[-1].update(_found_done("residency_exists"))
    grant_again(run, "bob")
    run.event("fault", name="clock_back", phase="begin", at={"seconds": 60})
    run.pay("keyless", user="bob", key=None, name="pay without key")
    run.void("void")
    run.revise("corrected", "open")
    answer = {"status": "rejected", "code": "bill_already_paid"}
    run.call("void", {"bill_id": "paid"}, None, answer=answer)
    run.look(name="last look")
    run.look("eve", "den", name="eve looks")
    run.reject("apartment_not_found", "den's", user="eve", key="attack")
    run.look("mo", name="mo looks")
    attributes = {"request_id": run.ask(bills=["open"], key="dead", name="dead")}
    run.event("phase", name="faults_end")
    run.final = {"dead_letters": [{"queue": "dlq", "body": "{}", "attributes": attributes}]}
    leave_in_queue(run, run.ask("utils", "eve", "den"), "eve", "queue-eve")
    return run


def _found_done(code: str) -> Json:
    """Return the answer to an operator's second attempt: the first one worked, unanswered."""
    return {"attempts": 2, "answer": {"status": "rejected", "code": code}}


def grant_again(run: RunBuilder, user: str) -> None:
    """Have an operator grant the home since long ago to one who has it already."""
    args = {"user": user, "apartment": "home", "since": LONG_AGO}
    run.call("grant", args, None, **_found_done("residency_exists"))


def leave_in_queue(
    run: RunBuilder,
    request_id: str,
    owner: str,
    queue_name: str,
    data: Json | None = None,
    code: str | None = None,
) -> None:
    """Leave an answer in a queue, from where nobody took it: by default debts as they are now."""
    shown = data or (None if code else run.debts(run.sent[request_id]["apartment"]))
    body = run.reply(request_id, shown, code=code)["reply"]
    run.events.pop()
    place = {"owner": owner, "queue_name": queue_name, "replies": [body]}
    run.final.setdefault("replies", []).append(place)

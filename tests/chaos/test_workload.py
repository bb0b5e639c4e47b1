"""The parts of the workload that a run doesn't prove: what clients learn, and what is recorded."""

from __future__ import annotations

import base64
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import boto3
import httpx
import pytest
from billing_client import PendingPaymentsInMemory
from moto import mock_aws

from tools.chaos.workload import final_state
from tools.chaos.workload.attacker import forged
from tools.chaos.workload.client import ClientModel
from tools.chaos.workload.http import Json, RecordingTransport, subject_of
from tools.chaos.workload.operators import Operator
from tools.chaos.workload.recorder import Canaries, Recorder
from tools.chaos.workload.resident import Resident
from tools.chaos.workload.shared import SharedState

# What clients learn ------------------------------------------------------------------------------

HOME = {"op": "utils", "apartment": "home"}


def debts(version: int, *bills: str) -> Json:
    rows = [{"bill_id": bill, "amount_minor": 5, "currency": "EUR"} for bill in bills]
    return {"status": "done", "data": {"version": version, "debts": rows}}


def test_a_client_joins_parts_ignores_older_debts_and_forgets_what_it_paid() -> None:
    model = ClientModel(SharedState())
    for reply in (debts(1, "x"), debts(2, "a"), debts(2, "b"), debts(1, "c")):
        model.learn(HOME, reply)
    assert list(model.owed["home"]) == ["a", "b"]
    payment = {"op": "payments", "apartment": "home", "bills": ["a"], "key": "key"}
    model.learn(payment, {"status": "failed", "data": None})
    assert model.paid == []
    model.learn(payment, {"status": "done", "data": {"payment_id": "payment"}})
    assert (list(model.owed["home"]), model.paid) == (["b"], [payment])
    assert model.shared.payments == ["payment"]


def token_of(subject: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject, "aud": "x"}).encode()).decode()
    return f"head.{claims.rstrip('=')}.signature"


def test_a_forged_token_names_the_victim() -> None:
    assert subject_of(forged(token_of("eve"), "ada")) == "ada"


# What is recorded --------------------------------------------------------------------------------


def answered(path: str) -> httpx.Response:
    """Answer as the gateway does: a request is accepted, a poll gets part 1 of 2 of a login."""
    if path == "/auth":
        return httpx.Response(202, json={"request_id": "r", "poll": "/auth/q"})
    tokens = {"id_token": token_of("ada"), "access_token": "access", "refresh_token": "refresh"}
    reply = {"request_id": "r", "operation": "auth", "status": "done", "receipt": "receipt"}
    data = {"tokens": tokens, "version": 1}
    return httpx.Response(200, json={"replies": [{**reply, "part": 1, "parts": 2, "data": data}]})


def test_what_is_sent_and_gotten_is_recorded_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "history", lambda: 1.0)
    canaries = Canaries(tmp_path / "canaries")
    events = (tmp_path / "history").read_text

    def handle(_self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            # It is known to the checker before it leaves.
            assert '"invoke"' in events()
        if request.url.path == "/auth/broken":
            raise httpx.ReadError("broken")
        return answered(request.url.path)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    who = {"client": "c", "user": "ada", "late": False}
    learned: list[Json] = []
    transport = RecordingTransport(
        who, recorder, canaries, lambda _asked, reply: learned.append(reply), "seed"
    )
    http = httpx.Client(base_url="http://gateway", transport=transport)
    body = {"username": "ada", "password": "secret", "queue_name": "q"}
    notes = {"notes": {"login": "wrong"}}
    http.post("/auth", json=body, extensions=notes, headers={"Authorization": "token"})
    http.get("/auth/q")
    with pytest.raises(httpx.ReadError):
        http.post("/auth/broken", json=body)
    assert list(transport.unanswered) == ["r"]
    recorder.close()
    canaries.close()
    kinds = [
        (one["e"], one.get("login"), one.get("status"))
        for one in map(json.loads, events().splitlines())
    ]
    assert kinds == [
        ("invoke", "wrong", None),
        ("accepted", None, None),
        ("reply", None, None),
        ("invoke", None, None),
        ("not_accepted", None, 0),
    ]
    assert learned[0]["data"]["tokens"] == {"sub": "ada"}
    assert not any(word in events() for word in ("secret", "receipt", "signature", "access"))
    kept = (tmp_path / "canaries").read_text()
    assert all(word in kept for word in ("receipt", "signature", "access", "refresh"))


ANSWER = {"status": "rejected", "code": "payment_already_reversed"}


@pytest.mark.parametrize(
    ("answers", "gives_up", "recorded"),
    [([None, None, ANSWER], False, (ANSWER, 3, False)), ([None], True, (None, 1, True))],
)
def test_an_operator_repeats_a_call_until_the_outcome_is_known(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[Json | None],
    gives_up: bool,
    recorded: Any,
) -> None:
    recorder = Recorder(tmp_path / "history", lambda: 1.0)
    give_up = threading.Event()
    if gives_up:
        give_up.set()
    # What breaks connections is real in a run: postgres_immediate, postgres_cut.
    left = iter(answers)
    monkeypatch.setattr(Operator, "_attempt", lambda *_: next(left))
    operator = Operator(pytest.fail, recorder, give_up)
    operator.call("reverse", "reverse_payment", "mistake", "olga", payment_id="payment")
    recorder.close()
    event = json.loads((tmp_path / "history").read_text())
    assert (event["answer"], event["attempts"], event["unknown"]) == recorded
    assert event["args"] == {"payment_id": "payment"}


def test_threads_write_whole_events_in_the_order_of_time(tmp_path: Path) -> None:
    clock = random.Random(1)
    recorder = Recorder(tmp_path / "history", clock.random)

    def write(_number: int) -> None:
        recorder.record("reply", id=recorder.next_id(), op="utils")

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(write, range(800)))
    recorder.close()
    expected = random.Random(1)
    events = [json.loads(line) for line in (tmp_path / "history").read_text().splitlines()]
    assert sorted(event["id"] for event in events) == list(range(1, 801))
    assert [event["t"] for event in events] == [round(expected.random(), 6) for _ in events]
    assert recorder.replies["utils"] == 800


# What is left at the end -------------------------------------------------------------------------


def test_queues_are_read_without_taking_anything_away() -> None:
    ada, queue = UUID(int=1), UUID(int=2)
    with mock_aws():
        keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        sqs: Any = boto3.client("sqs", region_name="eu-central-1", **keys)

        def send(name: str, request_id: str) -> None:
            url = sqs.create_queue(QueueName=name)["QueueUrl"]
            attribute = {"DataType": "String", "StringValue": request_id}
            body = json.dumps({"request_id": request_id})
            attributes = {"request_id": attribute}
            sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)

        for number in range(13):
            send("p-payments-dlq", f"dead{number}")
        send("p-utils", "waiting")
        send(f"p-r-{ada.hex}-{queue.hex}", "r1")
        send(f"p-login-{queue.hex}", "r2")
        sqs.create_queue(QueueName=f"p-r-{ada.hex}-{ada.hex}")
        queues = final_state.Queues(sqs, "p")
        for _ in range(2):
            assert queues.dead_requests() == {f"dead{number}" for number in range(13)}
        assert [one["attributes"]["request_id"] for one in queues.waiting()] == ["waiting"]
        assert queues.replies() == [
            {"owner": str(ada), "queue_name": str(queue), "replies": [{"request_id": "r1"}]},
            {"owner": None, "queue_name": str(queue), "replies": [{"request_id": "r2"}]},
        ]


# Replay ------------------------------------------------------------------------------------------


class SilentService:
    """A client and its service, which accepts everything and answers nothing."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.model = ClientModel(SharedState())
        self.model.learn(HOME, debts(1, *"abcdefghi"))
        self.recorder = SimpleNamespace(now=lambda: 0.0)
        self.billing = self
        self.pending_payments = PendingPaymentsInMemory()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: object, **options: object) -> list[object]:
            kept = {key: options[key] for key in options.keys() - {"idempotency_key", "queue_name"}}
            self.calls.append(f"{name} {arguments} {kept}")
            return []

        return call

    def attempt(self, call: Any) -> None:
        call()


def choices(seed: str) -> list[str]:
    """Return what a resident with this seed does in fifty steps, sorted: some is done at once."""
    service: Any = SilentService()
    resident = Resident(service, seed, ["home", "second"])
    for _ in range(50):
        resident.step()
    return sorted(service.calls)


def test_the_same_seed_makes_the_same_choices() -> None:
    assert choices("7") == choices("7")
    assert choices("7") != choices("8")
    called = {call.split()[0] for call in choices("7")}
    assert called >= {"debts", "pay", "history_steps", "logout"}

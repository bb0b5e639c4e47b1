"""The parts of the workload that a run doesn't prove: what clients learn, and what is recorded."""

from __future__ import annotations

import base64
import json
import random
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID

import boto3
import psycopg2
import pytest
from moto import mock_aws

from tools.chaos.workload import final_state
from tools.chaos.workload.api_client import ReplyQueue
from tools.chaos.workload.attacker import forged
from tools.chaos.workload.client_model import ClientModel, Debt, SyncedHistory
from tools.chaos.workload.http import Json, Request, Sent, subject_of
from tools.chaos.workload.operators import Operator
from tools.chaos.workload.personas import SharedState, personas
from tools.chaos.workload.recorder import Recorder
from tools.chaos.workload.resident import Resident

# What clients learn ------------------------------------------------------------------------------


def page(down: str, up: str, **events: str) -> Json:
    """Return a part of a history; `events` are posting instants by bill."""
    settled = [
        {"event": "payment", "payment_id": "p", "bill_id": bill, "posted_at": at}
        for bill, at in events.items()
    ]
    covered = {"date_down": down, "date_up": up}
    return {"data": {"covered": covered, "cursor": "c", "more": False, "settled_debts": settled}}


def test_a_copy_asks_with_frame_and_cursor_and_drops_what_is_not_covered() -> None:
    copy = SyncedHistory()
    assert copy.question("cursor") == {"date_down": None, "date_up": None}
    copy.take([page("1", "5", a="1", b="4"), page("2", "7", c="6")])
    assert copy.identities() == [("payment", "p", "b"), ("payment", "p", "c")]
    assert copy.question("frame") == {"date_down": "2", "date_up": "7"}
    assert copy.question("cursor") == {"date_down": "2", "date_up": "7", "cursor": "c"}


def reply(part: int, parts: int, version: int = 1) -> Json:
    return {"request_id": "r", "part": part, "parts": parts, "data": {"version": version}}


def test_an_answer_is_whole_when_all_its_parts_at_one_version_have_come() -> None:
    queue = ReplyQueue("q")
    assert queue.put(reply(2, 2, version=1))
    assert queue.put(reply(1, 2, version=2))
    assert queue.answer("r") is None
    assert queue.put(reply(1, 2, version=1))
    assert not queue.put(reply(1, 2, version=1))
    queue.put(reply(2, 2, version=2))
    assert [one["data"]["version"] for one in queue.answer("r") or []] == [1, 1]


def debts(version: int, *bills: str) -> Json:
    rows = [{"bill_id": bill, "amount_minor": 5, "currency": "EUR"} for bill in bills]
    return {"data": {"version": version, "debts": rows}}


def test_a_client_ignores_older_debts_and_keeps_a_failed_payment_pending() -> None:
    model = ClientModel()
    request = Request("payments", "ada", "q", "home", "key", {"bills_id": ["a"]})
    model.see_debts("home", [debts(2, "a", "b")])
    model.see_debts("home", [debts(1)])
    model.pending["key"] = request
    model.see_outcome(request, "failed")
    assert model.pending == {"key": request}
    model.see_outcome(request, "done")
    assert (model.pending, model.paid) == ({}, [request])
    assert model.owed["home"] == [Debt("b", 5, "EUR")]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 20])
def test_any_number_of_clients_gets_roles_and_apartments(count: int) -> None:
    found = personas(count)
    assert len({one.client for one in found}) == count
    assert all(one.apartments for one in found)
    if count >= 8:
        assert len({one.role for one in found}) == 6
        owner, device, neighbour = found[:3]
        assert (device.user, device.apartments) == (owner.user, owner.apartments)
        assert neighbour.apartments == owner.apartments[:1]


def test_a_forged_token_names_the_victim() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "eve", "aud": "x"}).encode()).decode()
    token = forged(f"head.{claims.rstrip('=')}.signature", "ada")
    assert subject_of(token) == "ada"


def test_only_unknown_and_temporary_errors_are_retried() -> None:
    statuses = (0, 202, 400, 401, 429, 500, 502)
    assert [one for one in statuses if Sent(one).can_be_retried] == [0, 429, 500, 502]


# What is recorded --------------------------------------------------------------------------------


class Connection:
    """A connection that breaks as long as an answer is None."""

    def __init__(self, answers: list[Json | None]) -> None:
        self._answers = answers

    def cursor(self) -> Connection:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        return None

    def execute(self, _statement: str, _arguments: object) -> None:
        if self._answers[0] is None:
            self._answers.pop(0)
            raise psycopg2.OperationalError

    def fetchone(self) -> tuple[Json | None]:
        return (self._answers.pop(0),)


ANSWER = {"status": "rejected", "code": "payment_already_reversed"}


@pytest.mark.parametrize(
    ("answers", "gives_up", "recorded"),
    [([None, None, ANSWER], False, (ANSWER, 3, False)), ([None], True, (None, 1, True))],
)
def test_an_operator_repeats_a_call_until_the_outcome_is_known(
    tmp_path: Path, answers: list[Json | None], gives_up: bool, recorded: Any
) -> None:
    recorder = Recorder(tmp_path / "history", lambda: 1.0)
    give_up = threading.Event()
    if gives_up:
        give_up.set()
    connection: Any = Connection(answers)
    operator = Operator(lambda: connection, recorder, give_up)
    operator.call("reverse", "reverse_payment", "mistake", "olga", payment_id="payment")
    recorder.close()
    event = json.loads((tmp_path / "history").read_text())
    assert (event["answer"], event["attempts"], event["unknown"]) == recorded
    assert event["args"] == {"payment_id": "payment"}


def test_threads_write_whole_events_in_the_order_of_time(tmp_path: Path) -> None:
    clock = random.Random(1)
    recorder = Recorder(tmp_path / "history", clock.random)

    def write() -> None:
        for _ in range(200):
            recorder.record("reply", id=recorder.next_id(), op="utils")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
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


def test_instants_are_written_as_the_contract_does() -> None:
    there = datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=2)))
    assert final_state.as_json(there) == "2026-01-02T01:04:05.000006Z"
    assert final_state.as_json(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000000Z"


def test_logs_are_copied_from_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, text in {
        "logs/a.log": "1",
        "logs/a.log.1": "2",
        "logs/x.json": "",
        "out": "3",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "run").mkdir()
    names = final_state.copy_logs([tmp_path / "logs", tmp_path / "out"], tmp_path / "run")
    assert [(tmp_path / "run" / name).read_text() for name in names] == ["1", "2", "3"]


# Replay ------------------------------------------------------------------------------------------


class SilentClient:
    """A client whose requests are never answered."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str | None]] = []
        self.outstanding: dict[str, Request] = {}
        self.http = SimpleNamespace(recorder=SimpleNamespace(now=lambda: 0.0))

    def request(self, op: str, apartment: str, body: Json, **options: Any) -> Request:
        return Request(op, "ada", "q", apartment, options.get("key"), body)

    def send(self, request: Request) -> None:
        self.sent.append((request.op, request.apartment))

    def log_out(self, *, keep_refresh_token: bool) -> None:
        self.sent.append(("log_out", str(keep_refresh_token)))

    def wait(self, _wanted: object, *, seconds: float) -> None:
        return None

    def answered(self) -> list[object]:
        return []


def choices(seed: str) -> list[tuple[str, str | None]]:
    """Return what a resident with this seed does in fifty steps without answers."""
    client: Any = SilentClient()
    resident = Resident(client, SharedState(), seed, ["one", "two"])
    resident.model.owed = {"one": [Debt(str(n), n, "EUR") for n in range(9)]}
    for _ in range(50):
        resident.step()
    sent: list[tuple[str, str | None]] = client.sent
    return sent


def test_the_same_seed_makes_the_same_choices() -> None:
    assert choices("7") == choices("7")
    assert choices("7") != choices("8")
    assert {op for op, _ in choices("7")} >= {"utils", "payments", "histories"}

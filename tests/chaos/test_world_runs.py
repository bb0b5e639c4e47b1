"""The world in the running service, without faults: nothing is broken, and much was looked at."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class

from tools.chaos.judge import Case, assess, load, render
from tools.chaos.world.canaries import Canaries
from tools.chaos.world.evidence import Queues, collect
from tools.chaos.world.recorder import Recorder
from tools.chaos.world.world import UserPool, World
from tools.local.stack import Stack

JUDGED_WITHOUT_FAULTS = [f"I{number}" for number in range(1, 12)]
ENOUGH = {"payments done": 12, "payments rejected": 4, "histories done": 6, "theft": 1, "late": 1}


def operator(stack: Stack) -> Connection:
    """Connect as the office does."""
    name = f"{stack.cloud.prefix}/database/operator"
    secret = json.loads(stack.clients.secrets.get_secret_value(SecretId=name)["SecretString"])
    return psycopg2.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
    )


@contextmanager
def world_in(stack: Stack, folder: Path) -> Iterator[World]:
    """Give a world whose history and secrets are written into a folder."""
    started = time.monotonic()
    recorder = Recorder(folder / "history.jsonl", lambda: time.monotonic() - started)
    canaries = Canaries(folder / "secrets.jsonl")
    world = World(
        base_url=stack.base_url,
        pool=UserPool(stack.clients.cognito, stack.cloud.user_pool_id),
        office=lambda: operator(stack),
        recorder=recorder,
        canaries=canaries,
        rng=random.Random(1),
        dead_requests=Queues(stack.clients.sqs, stack.cloud.prefix).dead_requests,
    )
    try:
        yield world
    finally:
        world.close()
        recorder.close()
        canaries.close()


def wait_until_enough_was_done(history: Path) -> None:
    deadline = time.monotonic() + 120
    while not (found := done(history)) >= Counter(ENOUGH):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def done(history: Path) -> Counter[str]:
    """Count replies by operation and status, and requests that are theft or late."""
    found: Counter[str] = Counter()
    # The last line may be half written.
    for line in history.read_text("utf-8").splitlines()[:-1]:
        event = json.loads(line)
        if event["e"] == "reply":
            found[f"{event['op']} {event['reply']['status']}"] += 1
        elif event["e"] == "invoke":
            found.update(name for name in ("theft", "late") if event.get(name))
    return found


@pytest.fixture(scope="module")
def case(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Let eight clients live until enough was done, and give what is to be judged."""
    folder = tmp_path_factory.mktemp("run")
    with world_in(stack, folder) as world:
        world.prepare()
        world.start()
        wait_until_enough_was_done(folder / "history.jsonl")
        world.stop()
        world.settle(within_seconds=90)
    final = collect(
        owner=lambda: psycopg2.connect(stack.cloud.database_url),
        queues=Queues(stack.clients.sqs, stack.cloud.prefix),
        logs=[Path(stack.cloud.logs)],
        secrets=folder / "secrets.jsonl",
        into=folder,
    )
    return load(folder / "history.jsonl", final)


def test_nothing_is_broken_and_every_promise_was_judged_on_something(case: Case) -> None:
    verdict = assess(case)
    told = "\n".join([str(verdict), *map(render, verdict.violations)])
    assert verdict.holds(needed=JUDGED_WITHOUT_FAULTS), told


def test_the_record_holds_no_secret_but_names_in_logins(case: Case) -> None:
    record = "\n".join(json.dumps(event) for event in case.history.events)
    secrets = [one["value"] for one in case.secrets if one["kind"] != "name"]
    assert len(secrets) > 50
    assert not [secret for secret in secrets if json.dumps(secret)[1:-1] in record]


def test_clients_did_all_that_they_can(case: Case) -> None:
    assert {one.op for one in case.history.requests} == {"auth", "utils", "payments", "histories"}
    assert any(one.event.get("theft") for one in case.history.requests)
    assert any(one.event.get("late") for one in case.history.requests)
    actions = {call["action"] for call in case.history.of("office")}
    assert actions >= {"issue", "grant", "add_resident", "add_apartment", "add_provider"}
    final = {sync["client"] for sync in case.history.of("sync") if sync["final"]}
    assert final >= {f"c{number}" for number in (0, 1, 2, 3, 5, 6, 7)}

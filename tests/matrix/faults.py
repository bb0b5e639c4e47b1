"""The faults: what is done at a step, up to `yield`, and what ends it after that.

They come from outside of the service, which runs as shipped: processes die, servers stop, bytes are
lost. The first half runs in the proxy's thread while the bytes of the step wait, the second once
the worker is through with the message or dead.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billing_app.adapters.redis_cache import SCHEMA
from tests.matrix.harness import OTHER_PASSWORD
from tests.support.databases import ROLE_PASSWORD
from tools.chaos import faults as chaos
from tools.chaos.proxies.aws import Rule
from tools.chaos.proxies.redis import ChangeAnswer
from tools.chaos.proxies.resp import bulk
from tools.chaos.proxies.sqs import (
    When,
    ambiguous_send,
    cut_off_send,
    failed_send,
    lost_delete,
    times,
)
from tools.chaos.proxies.tcp import StepEvent

if TYPE_CHECKING:
    from tests.matrix.scenario import Scenario

Strike = Callable[["Scenario", StepEvent], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`warm`: the worker has answered a request before. `call_seconds`: what its call may take.

    `lasts`: longer than SQS hands the message out; the test ends it.
    """

    strike: Strike
    warm: bool = False
    call_seconds: float = 8.0
    lasts: bool = False


def _as_chaos(name: str) -> Strike:
    """Do what `make chaos` does."""
    service: Any = None

    def strike(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
        fault = chaos.Fault(scenario.harness, service, "", random.Random(0))
        return chaos.FAULTS[name].run(fault)

    return strike


def _kill_worker(scenario: Scenario, moment: StepEvent) -> Iterator[None]:
    worker = scenario.workers[-1]
    worker.kill()
    worker.join()
    if moment.step.startswith("before"):
        # What the dead had wanted to send is not sent.
        moment.line.cut()
    yield


def _stop_postgres(scenario: Scenario, moment: StepEvent) -> Iterator[None]:
    scenario.harness.postgres.quit()
    if moment.step == "committed":
        # An answer that had left the server might still arrive; the harder case is that it is lost.
        moment.line.cut()
    yield
    scenario.harness.postgres.recover()
    scenario.reconnect()


def _cut_postgres(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
    scenario.harness.postgres_proxy.cut()
    yield


def _rotate_secret(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
    scenario.harness.rotate(scenario.role, OTHER_PASSWORD)
    yield
    scenario.harness.rotate(scenario.role, ROLE_PASSWORD)


def _on_sqs(make: Callable[[When], Rule], calls: int = 1) -> Strike:
    """Apply a rule to so many calls."""

    def strike(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
        with scenario.harness.aws_proxy.applying(make(times(calls))):
            yield

    return strike


def _put_back(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
    with scenario.harness.redis() as redis:
        for key, value in scenario.old_entries.items():
            redis.set(key, value)
    yield


def _lie(change: ChangeAnswer) -> Strike:
    def strike(scenario: Scenario, _moment: StepEvent) -> Iterator[None]:
        scenario.harness.redis_proxy.change_answers(change)
        yield
        scenario.harness.redis_proxy.restore()

    return strike


def _entry_of_another(words: list[bytes], answer: bytes) -> bytes:
    """Answer with an entry of another key, which looks as good as any."""
    if words[:1] != [b"GET"]:
        return answer
    return bulk(json.dumps([SCHEMA, f"debts:{'0' * 32}", 3, {"version": 3, "debts": []}]).encode())


def _babble(words: list[bytes], answer: bytes) -> bytes:
    """Answer what no Redis would."""
    return b"HTTP/1.1 200 OK\r\n\r\n" if words[:1] == [b"GET"] else answer


FAULTS: dict[str, Fault] = {
    "worker_killed": Fault(_kill_worker),
    "postgres_stopped": Fault(_stop_postgres),
    "postgres_away": Fault(_stop_postgres, warm=True, lasts=True),
    "postgres_cut": Fault(_cut_postgres),
    "postgres_frozen": Fault(_as_chaos("postgres_frozen"), call_seconds=2.5),
    "secret_rotated": Fault(_rotate_secret, warm=True),
    "sends_failed": Fault(_on_sqs(failed_send, calls=sys.maxsize)),
    "send_ambiguous": Fault(_on_sqs(ambiguous_send)),
    "send_cut_off": Fault(_on_sqs(cut_off_send)),
    "delete_lost": Fault(_on_sqs(lost_delete)),
    "redis_rejecting": Fault(_as_chaos("redis_rejecting")),
    "redis_hung": Fault(_as_chaos("redis_hung")),
    "redis_flushed": Fault(_as_chaos("redis_flushed")),
    "redis_old": Fault(_put_back),
    "redis_lying": Fault(_lie(_entry_of_another)),
    "redis_babbling": Fault(_lie(_babble)),
}

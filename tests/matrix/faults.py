"""The faults: each is something done at a step, and what ends it.

They come from outside of the service, which runs as shipped: processes die, servers stop, bytes are
lost. `strike` runs in the proxy's thread while the bytes of the step wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis

from billing_app.adapters.redis_cache import SCHEMA
from tools.chaos.proxies import Call, ChangeAnswer, Rule, StepEvent
from tools.chaos.proxies.resp import bulk
from tools.chaos.proxies.sqs import ambiguous_send, cut_off_send, failed_send, lost_delete, times

if TYPE_CHECKING:
    from tests.matrix.scenario import Scenario

Act = Callable[["Scenario", StepEvent], None]


def _nothing(_scenario: Scenario) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike` is done at a step, `end` once the worker is through with the message or dead.

    `warm`: the worker has answered a request before. `call_seconds`: what its call may take.
    """

    strike: Act
    end: Callable[[Scenario], None] = _nothing
    warm: bool = False
    call_seconds: float = 8.0


def _kill_worker(scenario: Scenario, moment: StepEvent) -> None:
    scenario.kill_worker()
    if moment.step.startswith("before"):
        # What the dead had wanted to send is not sent.
        moment.cut()


def _stop_postgres(scenario: Scenario, moment: StepEvent) -> None:
    scenario.harness.stop_postgres()
    if moment.step == "committed":
        # An answer that had left the server might still arrive; the harder case is that it is lost.
        moment.cut()


def _cut_postgres(scenario: Scenario, _moment: StepEvent) -> None:
    scenario.postgres.cut()


def _freeze_postgres(scenario: Scenario, _moment: StepEvent) -> None:
    scenario.harness.freeze_postgres()


def _rotate_secret(scenario: Scenario, _moment: StepEvent) -> None:
    scenario.harness.rotate(scenario.role)
    # A session outlives its password: only who comes anew is asked for it.
    scenario.postgres.cut()


def _apply(rule: Rule) -> Act:
    def strike(scenario: Scenario, _moment: StepEvent) -> None:
        scenario.add_rule(rule)

    return strike


def _apply_once(make: Callable[[Callable[[Call], bool]], Rule]) -> Act:
    """Apply it to one call: the rule has a count, so each scenario needs its own."""

    def strike(scenario: Scenario, moment: StepEvent) -> None:
        _apply(make(times(1)))(scenario, moment)

    return strike


def _remove_rules(scenario: Scenario) -> None:
    scenario.remove_rules()


def _restore_redis(scenario: Scenario) -> None:
    scenario.harness.redis.restore()


def _put_back(scenario: Scenario, _moment: StepEvent) -> None:
    with scenario.harness.redis_past_proxy() as redis:
        for key, value in scenario.old_entries.items():
            redis.set(key, value)


def _flush(scenario: Scenario, _moment: StepEvent) -> None:
    with scenario.harness.redis_past_proxy() as redis:
        redis.flushall()


def _lie(change: ChangeAnswer) -> Act:
    def strike(scenario: Scenario, _moment: StepEvent) -> None:
        scenario.harness.redis.change_answers(change)

    return strike


def _entry_of_another(words: list[bytes], answer: bytes) -> bytes:
    """Answer with an entry of another key, which looks as good as any."""
    if words[:1] != [b"GET"]:
        return answer
    return bulk(json.dumps([SCHEMA, f"debts:{'0' * 32}", 3, {"version": 3, "debts": []}]).encode())


def _babble(words: list[bytes], answer: bytes) -> bytes:
    """Answer what no Redis would."""
    return b"HTTP/1.1 200 OK\r\n\r\n" if words[:1] == [b"GET"] else answer


def entries(redis: Redis) -> dict[bytes, bytes]:
    """Return all that the cache holds."""
    found = {key: redis.get(key) for key in redis.scan_iter()}
    return {key: value for key, value in found.items() if isinstance(value, bytes)}


FAULTS: dict[str, Fault] = {
    "worker_killed": Fault(_kill_worker),
    "postgres_stopped": Fault(_stop_postgres, lambda scenario: scenario.harness.start_postgres()),
    # Away for longer than SQS hands the message out: the scenario brings it back.
    "postgres_away": Fault(_stop_postgres, warm=True),
    "postgres_cut": Fault(_cut_postgres),
    "postgres_frozen": Fault(
        _freeze_postgres, lambda scenario: scenario.harness.thaw_postgres(), call_seconds=2.5
    ),
    "secret_rotated": Fault(_rotate_secret, warm=True),
    "sends_failed": Fault(_apply(failed_send()), _remove_rules),
    "send_ambiguous": Fault(_apply_once(ambiguous_send), _remove_rules),
    "send_cut_off": Fault(_apply_once(cut_off_send), _remove_rules),
    "delete_lost": Fault(_apply_once(lost_delete), _remove_rules),
    "redis_rejecting": Fault(lambda scenario, _: scenario.harness.redis.reject(), _restore_redis),
    "redis_hung": Fault(lambda scenario, _: scenario.harness.redis.hang(), _restore_redis),
    "redis_flushed": Fault(_flush),
    "redis_old": Fault(_put_back),
    "redis_lying": Fault(_lie(_entry_of_another), _restore_redis),
    "redis_babbling": Fault(_lie(_babble), _restore_redis),
}

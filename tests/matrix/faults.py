"""What strikes: each fault is something done at a step, and what ends it.

They happen outside of the service, which runs as shipped: processes die, servers stop, bytes are
lost. `strike` runs in the proxy's thread while the bytes of the step wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis

from billing_app.adapters.redis_cache import SCHEMA
from tools.chaos.proxies import Call, Liar, Moment, Rule
from tools.chaos.proxies.resp import bulk
from tools.chaos.proxies.sqs import ambiguous_send, failed_send, lost_delete, times

if TYPE_CHECKING:
    from tests.matrix.story import Story

Act = Callable[["Story", Moment], None]


def _nothing(_story: Story) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """`strike` is done at a step, `heal` once the worker is through with the message or dead.

    `warm`: the worker has answered a request before. `call_seconds`: what its call may take.
    """

    strike: Act
    heal: Callable[[Story], None] = _nothing
    warm: bool = False
    call_seconds: float = 8.0


def _kill_worker(story: Story, moment: Moment) -> None:
    story.kill_worker()
    if moment.step.startswith("before"):
        # What the dead had wanted to send is not sent.
        moment.cut()


def _stop_postgres(story: Story, moment: Moment) -> None:
    story.bench.stop_postgres()
    if moment.step == "committed":
        # An answer that had left the server might still arrive; the harder case is that it is lost.
        moment.cut()


def _cut_postgres(story: Story, _moment: Moment) -> None:
    story.postgres.cut()


def _freeze_postgres(story: Story, _moment: Moment) -> None:
    story.bench.freeze_postgres()


def _rotate_secret(story: Story, _moment: Moment) -> None:
    story.bench.rotate(story.role)
    # A session outlives its password: only who comes anew is asked for it.
    story.postgres.cut()


def _bend(rule: Rule) -> Act:
    def strike(story: Story, _moment: Moment) -> None:
        story.bend_sqs(rule)

    return strike


def _bend_first(make: Callable[[Callable[[Call], bool]], Rule]) -> Act:
    """Bend one call: the rule has a count, so each story needs its own."""

    def strike(story: Story, moment: Moment) -> None:
        _bend(make(times(1)))(story, moment)

    return strike


def _restore_sqs(story: Story) -> None:
    story.restore_sqs()


def _restore_redis(story: Story) -> None:
    story.bench.redis.restore()


def _put_back(story: Story, _moment: Moment) -> None:
    with story.bench.redis_past_proxy() as redis:
        for key, value in story.old_entries.items():
            redis.set(key, value)


def _flush(story: Story, _moment: Moment) -> None:
    with story.bench.redis_past_proxy() as redis:
        redis.flushall()


def _lie(liar: Liar) -> Act:
    def strike(story: Story, _moment: Moment) -> None:
        story.bench.redis.lie(liar)

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
    "postgres_stopped": Fault(_stop_postgres, lambda story: story.bench.start_postgres()),
    # Away for longer than SQS hands the message out: the story brings it back.
    "postgres_away": Fault(_stop_postgres, warm=True),
    "postgres_cut": Fault(_cut_postgres),
    "postgres_frozen": Fault(
        _freeze_postgres, lambda story: story.bench.thaw_postgres(), call_seconds=2.5
    ),
    "secret_rotated": Fault(_rotate_secret, warm=True),
    "sends_failed": Fault(_bend(failed_send()), _restore_sqs),
    "send_ambiguous": Fault(_bend_first(ambiguous_send), _restore_sqs),
    "send_cut_off": Fault(_bend_first(lambda when: ambiguous_send(when, cut=True)), _restore_sqs),
    "delete_lost": Fault(_bend_first(lost_delete), _restore_sqs),
    "redis_refused": Fault(lambda story, _: story.bench.redis.reject(), _restore_redis),
    "redis_hung": Fault(lambda story, _: story.bench.redis.hang(), _restore_redis),
    "redis_flushed": Fault(_flush),
    "redis_old": Fault(_put_back),
    "redis_lying": Fault(_lie(_entry_of_another), _restore_redis),
    "redis_babbling": Fault(_lie(_babble), _restore_redis),
}

"""All faults, by name: what each does to the servers and to the service's processes.

A fault is a generator function: up to `yield` it strikes, after it everything is made whole, as far
as the cloud would do that. Both halves run in one thread, the second always.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from psycopg2 import sql

from tools.chaos.proxies import STEPS, Call, Forward, Message, Rule, StepEvent, resp, sqs
from tools.chaos.servers import Servers
from tools.chaos.service import Service

# How long after a statement has reached the server it may be at its commit.
_COMMIT_SECONDS = 0.004


@dataclass
class Fault:
    """One occurrence of a fault. `over`: there is nothing more to wait for."""

    servers: Servers
    service: Service
    variant: str
    rng: random.Random
    over: threading.Event = field(default_factory=threading.Event)
    report: dict[str, Any] = field(default_factory=dict)

    def sometimes(self, chance: float) -> sqs.When:
        """Choose calls by chance."""
        return lambda _call: self.rng.random() < chance

    def cached_values(self) -> dict[bytes, bytes]:
        """Return all that the cache holds now."""
        with self.servers.redis() as redis:
            found = {key: redis.get(key) for key in redis.scan_iter(count=1000)}
        return {key: value for key, value in found.items() if isinstance(value, bytes)}


Steps = Iterator[None]


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    `variants` are ways to strike: a schedule has one of each kind early, of a kind that `needs_all`
    every one, and the others when there is time. `seconds`: the shortest and the longest duration.
    """

    name: str
    summary: str
    run: Callable[[Fault], Steps]
    variants: tuple[str, ...] = ("",)
    needs_all: bool = False
    seconds: tuple[float, float] = (1.5, 3.0)


FAULTS: dict[str, FaultKind] = {}


def _kind(summary: str, **options: Any) -> Callable[[Callable[[Fault], Steps]], None]:
    """Register a fault under its function's name."""

    def register(run: Callable[[Fault], Steps]) -> None:
        FAULTS[run.__name__] = FaultKind(run.__name__, summary, run, **options)

    return register


def _kill(pid: int | None) -> None:
    try:
        os.kill(pid or 0, signal.SIGKILL)
    except ProcessLookupError:
        # It has just ended itself.
        return


# Processes -------------------------------------------------------------------------------------


@_kind(
    "SIGKILL of a worker exactly when it has `received`, before it pays (`before_payment`),"
    " while its statement runs (`in_commit`), when its payment is committed and unknown to it"
    " (`committed`), after it has `replied`, `before_delete`",
    variants=STEPS,
    needs_all=True,
    seconds=(3.5, 5.0),
)
def kill_at_step(fault: Fault) -> Steps:
    killed: list[dict[str, str]] = []
    fault.report["killed"] = killed
    lock = threading.Lock()

    def see(moment: StepEvent) -> None:
        if moment.step != fault.variant:
            return
        with lock:
            names = {pid: name for name, pid in fault.service.workers().items()}
            if not killed and moment.pid in names:
                _kill(moment.pid)
                killed.append({"worker": names[moment.pid], "queue": moment.queue})
                fault.over.set()

    with fault.servers.postgres_proxy.watching(see), fault.servers.aws_proxy.watching(see):
        yield


@_kind(
    "SIGKILL of some workers, or of the gateway, at any moment",
    variants=("workers", "gateway"),
    seconds=(1.0, 2.0),
)
def kill_random(fault: Fault) -> Steps:
    victims = ["gateway"]
    if fault.variant == "workers":
        workers = sorted(fault.service.workers())
        victims = fault.rng.sample(workers, k=min(3, len(workers)))
    pids = fault.service.cloud.pids
    for name in victims:
        _kill(pids[name])
    fault.report["killed"] = victims
    # The supervisor starts others.
    yield


# Postgres --------------------------------------------------------------------------------------


@_kind(
    "`immediate` stop of Postgres, at any moment or while a payment commits; then recovery",
    variants=("any", "in_commit"),
    seconds=(2.0, 3.0),
)
def postgres_immediate(fault: Fault) -> Steps:
    def stop() -> None:
        fault.over.set()
        fault.servers.postgres.quit()

    def see(moment: StepEvent) -> None:
        if moment.step == "in_commit" and not fault.over.is_set():
            time.sleep(fault.rng.uniform(0, _COMMIT_SECONDS))
            stop()

    if fault.variant == "any":
        stop()
        yield
    else:
        with fault.servers.postgres_proxy.watching(see):
            yield
    if not fault.over.is_set():
        stop()
    fault.servers.postgres.recover()


@_kind(
    "SIGSTOP of all Postgres's processes, later SIGCONT: statements end long after",
    seconds=(1.5, 4.0),
)
def postgres_frozen(fault: Fault) -> Steps:
    fault.servers.postgres.signal_all(signal.SIGSTOP)
    yield
    fault.servers.postgres.signal_all(signal.SIGCONT)


@_kind("all connections to Postgres cut, several times", seconds=(1.0, 2.0))
def postgres_cut(fault: Fault) -> Steps:
    ended = threading.Event()

    def cut() -> None:
        while not ended.wait(fault.rng.uniform(0.05, 0.5)):
            fault.servers.postgres_proxy.cut()

    thread = threading.Thread(target=cut)
    thread.start()
    yield
    ended.set()
    thread.join()


# Redis -----------------------------------------------------------------------------------------


@_kind("connections to Redis rejected, those there cut", seconds=(2.5, 4.0))
def redis_rejecting(fault: Fault) -> Steps:
    fault.servers.redis_proxy.reject()
    yield
    fault.servers.redis_proxy.restore()


@_kind("Redis takes connections and commands and answers none", seconds=(2.5, 4.0))
def redis_hung(fault: Fault) -> Steps:
    fault.servers.redis_proxy.hang()
    yield
    fault.servers.redis_proxy.restore()


@_kind("everything in Redis deleted", seconds=(0.2, 0.5))
def redis_flushed(fault: Fault) -> Steps:
    with fault.servers.redis() as redis:
        redis.flushall()
    yield


@_kind(
    "the values of some seconds ago put back, as after a restore or a failover", seconds=(2.0, 5.0)
)
def redis_old(fault: Fault) -> Steps:
    values = fault.cached_values()
    yield
    with fault.servers.redis() as redis:
        for key, value in values.items():
            redis.set(key, value)


@_kind(
    "Redis answers GET with an old value of the key, another key's value, every answer a"
    " question late, garbage, or an answer of another kind",
    variants=("old", "other_key", "behind", "garbage", "kind"),
    seconds=(2.0, 3.5),
)
def redis_lying(fault: Fault) -> Steps:
    # An entry that claims the present version for another body is not among the lies: no network
    # and no Redis makes one, and who can write one on purpose has the service's own password.
    values = fault.cached_values()
    lie = _LIES[fault.variant]

    def answer(words: list[bytes], true: bytes) -> bytes:
        is_get = bool(words) and words[0].upper() == b"GET"
        return lie(fault.rng, values, words[1], true) if is_get else true

    fault.servers.redis_proxy.change_answers(answer)
    yield
    fault.servers.redis_proxy.restore()
    # Connections may be a question behind.
    fault.servers.redis_proxy.cut()


_Lie = Callable[[random.Random, dict[bytes, bytes], bytes, bytes], bytes]


def _old(_rng: random.Random, values: dict[bytes, bytes], key: bytes, true: bytes) -> bytes:
    return resp.bulk(values[key]) if key in values else true


def _other_key(rng: random.Random, values: dict[bytes, bytes], key: bytes, true: bytes) -> bytes:
    others = sorted(other for other in values if other != key)
    return resp.bulk(values[rng.choice(others)]) if others else true


def _behind(rng: random.Random, _values: dict[bytes, bytes], _key: bytes, true: bytes) -> bytes:
    # From then on the connection answers each question with the answer to the one before.
    return true + true if rng.random() < 0.2 else true


def _garbage(rng: random.Random, values: dict[bytes, bytes], key: bytes, _true: bytes) -> bytes:
    value = values.get(key, b"[1]")
    broken = [
        value[: len(value) // 2],
        bytes(rng.randbytes(50)),
        *(b"", b"null", b"{}", b"[1, 2, 3, 4]", b"[" * 10_000),
        json.dumps([1, key.decode(), True, []]).encode(),
        json.dumps([1, key.decode(), 1.5, None]).encode(),
    ]
    return resp.bulk(rng.choice(broken))


def _kinds(rng: random.Random, _values: dict[bytes, bytes], _key: bytes, _true: bytes) -> bytes:
    return rng.choice([b":7\r\n", b"+OK\r\n", b"*1\r\n$1\r\na\r\n", b"-ERR no\r\n", b"!what\r\n"])


_LIES: dict[str, _Lie] = {
    "old": _old,
    "other_key": _other_key,
    "behind": _behind,
    "garbage": _garbage,
    "kind": _kinds,
}


# SQS -------------------------------------------------------------------------------------------


def _applying(fault: Fault, rule: Rule) -> Steps:
    with fault.servers.aws_proxy.applying(rule):
        yield


@_kind(
    "messages sent twice, or shown to a second worker while the first works on them",
    variants=("sent", "received"),
)
def sqs_duplicate(fault: Fault) -> Steps:
    twice = sqs.duplicate if fault.variant == "sent" else sqs.redeliver
    yield from _applying(fault, twice(fault.sometimes(0.5)))


@_kind("messages shown seconds after they were sent, so that later ones overtake them")
def sqs_late(fault: Fault) -> Steps:
    some = fault.sometimes(0.5)

    def late(call: Call, forward: Forward) -> Message:
        return sqs.late(fault.rng.randint(1, 3), some)(call, forward)

    yield from _applying(fault, late)


@_kind("SendMessage answered 500, nothing sent: requests and replies")
def sqs_send_failed(fault: Fault) -> Steps:
    # Most sends, so that a retry seldom helps.
    yield from _applying(fault, sqs.failed_send(fault.sometimes(0.8)))


@_kind(
    "SendMessage done, yet answered 500, or the connection cut instead of an answer",
    variants=("500", "cut"),
)
def sqs_send_ambiguous(fault: Fault) -> Steps:
    rule = sqs.ambiguous_send(fault.sometimes(0.7), cut=fault.variant == "cut")
    yield from _applying(fault, rule)


@_kind("deletes answered 200 and not done: the message comes back")
def sqs_delete_lost(fault: Fault) -> Steps:
    yield from _applying(fault, sqs.lost_delete(fault.sometimes(0.7)))


# Passwords and clocks --------------------------------------------------------------------------


@_kind(
    "the password of writer or reader changed in Postgres, a moment later in Secrets Manager,"
    " all connections cut in between",
    variants=("writer", "reader"),
    seconds=(0.5, 1.5),
)
def secret_rotated(fault: Fault) -> Steps:
    password = secrets.token_urlsafe(24)
    role = sql.Identifier(f"billing_{fault.variant}")
    with fault.servers.postgres.cursor() as cursor:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        cursor.execute(statement.format(role, sql.Literal(password)))
    fault.servers.postgres_proxy.cut()
    yield
    manager: Any = fault.servers.clients().secrets
    name = f"{fault.service.cloud.prefix}/database/{fault.variant}"
    known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    text = json.dumps(known | {"password": password})
    manager.put_secret_value(SecretId=name, SecretString=text)
    fault.servers.postgres_proxy.cut()


@_kind(
    "the time of day of Postgres, or of all workers, stepped back by up to an hour",
    variants=("postgres", "workers"),
)
def clock_back(fault: Fault) -> Steps:
    of_postgres = fault.variant == "postgres"
    clock = fault.servers.postgres.clock if of_postgres else fault.service.clock
    fault.report["seconds"] = -fault.rng.randint(1, 3600)
    clock.set(fault.report["seconds"])
    yield
    clock.set(0)

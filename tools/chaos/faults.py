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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg2 import sql

from tools.chaos.proxies import resp, sqs
from tools.chaos.proxies.aws import Call, Rule
from tools.chaos.proxies.tcp import STEPS, StepEvent
from tools.chaos.servers import Servers
from tools.chaos.service import Service

# How long after a statement has reached the server it may be at its commit.
_COMMIT_SECONDS = 0.004


@dataclass
class Fault:
    """One occurrence of a fault.

    `over`: there is nothing more to wait for. `struck`: how often it took effect, which for some
    depends on what the service does meanwhile.
    """

    servers: Servers
    service: Service
    variant: str
    rng: random.Random
    over: threading.Event = field(default_factory=threading.Event)
    report: dict[str, Any] = field(default_factory=dict)
    struck: int = 1


Steps = Iterator[None]


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    `variants` are ways to strike: a schedule has one of each kind early, of a kind that `needs_all`
    every one, and the others when there is time. `seconds`: the shortest and the longest duration.
    """

    name: str
    run: Callable[[Fault], Steps]
    variants: tuple[str, ...] = ("",)
    needs_all: bool = False
    seconds: tuple[float, float] = (1.5, 3.0)


FAULTS: dict[str, FaultKind] = {}


def _kind(**options: Any) -> Callable[[Callable[[Fault], Steps]], None]:
    """Register a fault under its function's name."""

    def register(run: Callable[[Fault], Steps]) -> None:
        FAULTS[run.__name__] = FaultKind(run.__name__, run, **options)

    return register


def _kill(pid: int | None) -> None:
    try:
        os.kill(pid or 0, signal.SIGKILL)
    except ProcessLookupError:
        # It has just ended itself.
        return


# Processes -------------------------------------------------------------------------------------


@_kind(variants=STEPS, needs_all=True, seconds=(3.5, 5.0))
def kill_at_step(fault: Fault) -> Steps:
    """Kill a worker exactly when it is at the step; see `STEPS`."""
    killed: list[dict[str, str]] = []
    fault.report["killed"], fault.struck = killed, 0
    lock = threading.Lock()

    def see(moment: StepEvent) -> None:
        if moment.step != fault.variant:
            return
        with lock:
            names = {pid: name for name, pid in fault.service.workers().items()}
            if not killed and moment.line.pid in names:
                _kill(moment.line.pid)
                killed.append({"worker": names[moment.line.pid], "queue": moment.queue})
                fault.struck = 1
                fault.over.set()

    with fault.servers.postgres_proxy.watching(see), fault.servers.aws_proxy.watching(see):
        yield


@_kind(variants=("workers", "gateway"), seconds=(1.0, 2.0))
def kill_random(fault: Fault) -> Steps:
    """Kill some workers, or the gateway, at any moment. The supervisor starts others."""
    victims = ["gateway"]
    if fault.variant == "workers":
        workers = sorted(fault.service.workers())
        victims = fault.rng.sample(workers, k=min(3, len(workers)))
    pids = fault.service.cloud.pids
    for name in victims:
        _kill(pids[name])
    fault.report["killed"], fault.struck = victims, len(victims)
    yield


# Postgres --------------------------------------------------------------------------------------


@_kind(variants=("any", "in_commit"), seconds=(2.0, 3.0))
def postgres_immediate(fault: Fault) -> Steps:
    """Stop Postgres as a crash does, at any moment or while a payment commits; then recover."""

    def stop() -> None:
        fault.over.set()
        fault.servers.postgres.quit()

    def see(moment: StepEvent) -> None:
        if moment.step == "in_commit" and not fault.over.is_set():
            time.sleep(fault.rng.uniform(0, _COMMIT_SECONDS))
            # The time for it may have ended meanwhile.
            if not fault.over.is_set():
                stop()

    if fault.variant == "any":
        stop()
        yield
    else:
        with fault.servers.postgres_proxy.watching(see):
            yield
    if not fault.over.is_set():
        fault.struck = 0
    # Whoever stopped it may still be waiting for its end.
    stop()
    fault.servers.postgres.recover()


@_kind(seconds=(1.5, 4.0))
def postgres_frozen(fault: Fault) -> Steps:
    """Stop all of Postgres's processes where they are: statements end long after."""
    fault.servers.postgres.signal_all(signal.SIGSTOP)
    yield
    fault.servers.postgres.signal_all(signal.SIGCONT)


@_kind(seconds=(1.0, 2.0))
def postgres_cut(fault: Fault) -> Steps:
    """Cut all connections to Postgres, several times."""
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


@_kind(seconds=(2.5, 4.0))
def redis_rejecting(fault: Fault) -> Steps:
    """Reject connections to Redis, and cut those there are."""
    fault.servers.redis_proxy.reject()
    yield
    fault.servers.redis_proxy.restore()


@_kind(seconds=(2.5, 4.0))
def redis_hung(fault: Fault) -> Steps:
    """Take connections and commands, and answer none."""
    fault.servers.redis_proxy.hang()
    yield
    fault.servers.redis_proxy.restore()


@_kind(seconds=(0.2, 0.5))
def redis_flushed(fault: Fault) -> Steps:
    """Delete everything in Redis."""
    with fault.servers.redis() as redis:
        redis.flushall()
    yield


@_kind(seconds=(2.0, 5.0))
def redis_old(fault: Fault) -> Steps:
    """Put the values of some seconds ago back, as a restore or a failover does."""
    values = fault.servers.cached_values()
    fault.struck = len(values)
    yield
    with fault.servers.redis() as redis:
        for key, value in values.items():
            redis.set(key, value)


@_kind(variants=("old", "other_key", "behind", "garbage", "kind"), seconds=(2.0, 3.5))
def redis_lying(fault: Fault) -> Steps:
    """Answer GET with something else than what is held."""
    # An entry that claims the present version for another body is not among the lies: no network
    # and no Redis makes one, and who can write one on purpose has the service's own password.
    values = fault.servers.cached_values()
    fault.struck = 0

    def answer(words: list[bytes], true: bytes) -> bytes:
        is_get = bool(words) and words[0].upper() == b"GET"
        told = _lie(fault, values, words[1], true) if is_get else true
        fault.struck += told != true
        return told

    fault.servers.redis_proxy.change_answers(answer)
    yield
    fault.servers.redis_proxy.restore()
    # Connections may be a question behind.
    fault.servers.redis_proxy.cut()


def _lie(fault: Fault, values: dict[bytes, bytes], key: bytes, true: bytes) -> bytes:
    match fault.variant:
        case "old":
            return resp.bulk(values[key]) if key in values else true
        case "other_key":
            others = [resp.bulk(values[other]) for other in sorted(values) if other != key]
            return fault.rng.choice(others or [true])
        case "behind":
            # From then on the connection answers each question with the answer to the one before.
            return true + true if fault.rng.random() < 0.2 else true
        case "garbage":
            return resp.bulk(fault.rng.choice(_broken(fault, key, values.get(key, b"[1]"))))
        case _:
            answers = [b":7\r\n", b"+OK\r\n", b"*1\r\n$1\r\na\r\n", b"-ERR no\r\n", b"!what\r\n"]
            return fault.rng.choice(answers)


def _broken(fault: Fault, key: bytes, value: bytes) -> list[bytes]:
    return [
        value[: len(value) // 2],
        bytes(fault.rng.randbytes(50)),
        *(b"", b"null", b"{}", b"[1, 2, 3, 4]", b"[" * 10_000),
        json.dumps([1, key.decode(), True, []]).encode(),
        json.dumps([1, key.decode(), 1.5, None]).encode(),
    ]


# SQS -------------------------------------------------------------------------------------------


def _on_sqs(name: str, chance: float, makers: Mapping[str, Callable[[sqs.When], Rule]]) -> None:
    """Register a fault that applies a rule to calls by chance; one maker for each variant."""

    def run(fault: Fault) -> Steps:
        fault.struck = 0

        def chooses(_call: Call) -> bool:
            chosen = fault.rng.random() < chance
            fault.struck += chosen
            return chosen

        with fault.servers.aws_proxy.applying(makers[fault.variant](chooses)):
            yield

    FAULTS[name] = FaultKind(name, run, tuple(makers))


_on_sqs("sqs_duplicate", 0.5, {"sent": sqs.duplicate, "received": sqs.redeliver})
_on_sqs("sqs_late", 0.5, {"": sqs.late})
# Most sends, so that a retry seldom helps.
_on_sqs("sqs_send_failed", 0.8, {"": sqs.failed_send})
_on_sqs("sqs_send_ambiguous", 0.7, {"500": sqs.ambiguous_send, "cut": sqs.cut_off_send})
_on_sqs("sqs_delete_lost", 0.7, {"": sqs.lost_delete})


# Passwords and clocks --------------------------------------------------------------------------


@_kind(variants=("writer", "reader"), seconds=(0.5, 1.5))
def secret_rotated(fault: Fault) -> Steps:
    """Change a role's password in Postgres, cut, and a moment later in Secrets Manager."""
    password = secrets.token_urlsafe(24)
    role = sql.Identifier(f"billing_{fault.variant}")
    with fault.servers.postgres.cursor() as cursor:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        cursor.execute(statement.format(role, sql.Literal(password)))
    # A session outlives its password: only who comes anew is asked for it.
    fault.servers.postgres_proxy.cut()
    yield
    manager: Any = fault.servers.clients().secrets
    name = f"{fault.service.cloud.prefix}/database/{fault.variant}"
    known = json.loads(manager.get_secret_value(SecretId=name)["SecretString"])
    text = json.dumps(known | {"password": password})
    manager.put_secret_value(SecretId=name, SecretString=text)
    fault.servers.postgres_proxy.cut()


@_kind(variants=("postgres", "workers"))
def clock_back(fault: Fault) -> Steps:
    """Step the time of day of Postgres, or of all workers, back by up to an hour."""
    of_postgres = fault.variant == "postgres"
    clock = fault.servers.postgres.clock if of_postgres else fault.service.clock
    fault.report["seconds"] = -fault.rng.randint(1, 3600)
    clock.set(fault.report["seconds"])
    yield
    clock.set(0)

"""Redis that is gone, hangs, forgets, goes back in time, or lies."""

from __future__ import annotations

import json

from tools.chaos.faults.base import Fault
from tools.chaos.proxies import resp


class RedisRefused(Fault):
    """Refuses connections."""

    name = "redis_refused"
    summary = "connections to Redis rejected, those there cut"
    seconds = (2.5, 4.0)

    def begin(self) -> None:
        """Reject."""
        self.stage.servers.redis_door.reject()

    def end(self) -> None:
        """Take connections again."""
        self.stage.servers.redis_door.restore()


class RedisHung(RedisRefused):
    """Takes everything and answers nothing."""

    name = "redis_hung"
    summary = "Redis takes connections and commands and answers none"

    def begin(self) -> None:
        """Hang."""
        self.stage.servers.redis_door.hang()


class RedisFlushed(Fault):
    """Loses all that it holds."""

    name = "redis_flushed"
    summary = "everything in Redis deleted"
    seconds = (0.2, 0.5)

    def begin(self) -> None:
        """Flush."""
        with self.stage.servers.redis() as redis:
            redis.flushall()

    def end(self) -> None:
        """Do nothing: what is needed is computed again."""


class RedisOld(Fault):
    """Comes back from an old snapshot."""

    name = "redis_old"
    summary = "the values of some seconds ago put back, as after a restore or a failover"
    seconds = (2.0, 5.0)

    def begin(self) -> None:
        """Take the snapshot."""
        self._values = values(self)

    def end(self) -> None:
        """Put it back over what is there now."""
        with self.stage.servers.redis() as redis:
            for key, value in self._values.items():
                redis.set(key, value)


class RedisLying(Fault):
    """Answers GET with something that it was not asked for.

    An entry that claims the present version for another body is not among its lies: no network and
    no Redis makes one, and who can write one on purpose has the service's own password.
    """

    name = "redis_lying"
    summary = (
        "Redis answers GET with an old value of the key, another key's value, every answer a"
        " question late, garbage, or an answer of another kind"
    )
    variants = ("old", "other_key", "behind", "garbage", "kind")
    seconds = (2.0, 3.5)

    def begin(self) -> None:
        """Lie from now on; with the values of now when they have become old ones."""
        self._values = values(self)
        self._behind = False
        self.stage.servers.redis_door.lie(self._lie)

    def end(self) -> None:
        """Tell the truth, on new connections: those there may be a question behind."""
        self.stage.servers.redis_door.restore()
        self.stage.servers.redis_door.cut()

    def _lie(self, words: list[bytes], answer: bytes) -> bytes:
        if not words or words[0].upper() != b"GET":
            return answer
        return {
            "old": self._old,
            "other_key": self._of_another,
            "behind": self._once_more,
            "garbage": self._garbage,
            "kind": self._of_another_kind,
        }[self.variant](words[1], answer)

    def _old(self, key: bytes, answer: bytes) -> bytes:
        return resp.bulk(self._values[key]) if key in self._values else answer

    def _of_another(self, key: bytes, answer: bytes) -> bytes:
        others = sorted(other for other in self._values if other != key)
        return resp.bulk(self._values[self.rng.choice(others)]) if others else answer

    def _once_more(self, _key: bytes, answer: bytes) -> bytes:
        # From then on the connection answers each question with the answer to the one before.
        return answer + answer if self.rng.random() < 0.2 else answer

    def _garbage(self, key: bytes, _answer: bytes) -> bytes:
        value = self._values.get(key, b"[1]")
        broken = [
            value[: len(value) // 2],
            bytes(self.rng.randbytes(50)),
            b"",
            b"null",
            b"{}",
            b"[1, 2, 3, 4]",
            json.dumps([1, key.decode(), True, []]).encode(),
            json.dumps([1, key.decode(), 1.5, None]).encode(),
            b"[" * 10_000,
        ]
        return resp.bulk(self.rng.choice(broken))

    def _of_another_kind(self, _key: bytes, _answer: bytes) -> bytes:
        kinds = (b":7\r\n", b"+OK\r\n", b"*1\r\n$1\r\na\r\n", b"-ERR no\r\n", b"!what\r\n")
        return self.rng.choice(kinds)


def values(fault: Fault) -> dict[bytes, bytes]:
    """Return all that the cache holds now."""
    with fault.stage.servers.redis() as redis:
        found = {key: redis.get(key) for key in redis.scan_iter(count=1000)}
    return {key: value for key, value in found.items() if isinstance(value, bytes)}

"""All faults, by name."""

from torture.faults.base import Fault, Stage
from torture.faults.cache import RedisFlushed, RedisHung, RedisLying, RedisOld, RedisRefused
from torture.faults.database import (
    ClockBack,
    PostgresCut,
    PostgresFrozen,
    PostgresImmediate,
    SecretRotated,
)
from torture.faults.kills import KillAtStep, KillRandom
from torture.faults.queues import (
    SqsDeleteLost,
    SqsDuplicate,
    SqsLate,
    SqsSendAmbiguous,
    SqsSendFailed,
)

_ALL: tuple[type[Fault], ...] = (
    KillAtStep,
    KillRandom,
    PostgresImmediate,
    PostgresFrozen,
    PostgresCut,
    RedisRefused,
    RedisHung,
    RedisFlushed,
    RedisOld,
    RedisLying,
    SqsDuplicate,
    SqsLate,
    SqsSendFailed,
    SqsSendAmbiguous,
    SqsDeleteLost,
    SecretRotated,
    ClockBack,
)
FAULTS: dict[str, type[Fault]] = {fault.name: fault for fault in _ALL}

__all__ = ["FAULTS", "Fault", "Stage"]

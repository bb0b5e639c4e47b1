"""All faults, by name."""

from tools.chaos.faults.base import Fault, Stage
from tools.chaos.faults.cache import RedisFlushed, RedisHung, RedisLying, RedisOld, RedisRefused
from tools.chaos.faults.database import (
    ClockBack,
    PostgresCut,
    PostgresFrozen,
    PostgresImmediate,
    SecretRotated,
)
from tools.chaos.faults.kills import KillAtStep, KillRandom
from tools.chaos.faults.queues import (
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

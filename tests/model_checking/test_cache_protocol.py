"""The cache protocol under every interleaving of two readers, a writer and a failing Redis.

The readers are the shipped use cases; see README.md for the method and its bounds.
"""

from __future__ import annotations

import sys

import pytest

from tests.model_checking.cache_model import (
    CacheProtocol,
    FailingRedis,
    Model,
    Redis,
    SoundRedis,
    scenario,
)
from tests.model_checking.cache_protocols import (
    DEBTS,
    WHOLE_HISTORY,
    WRONG_AT_ONCE,
    WRONG_WHEN_REDIS_FAILS,
)
from tests.support.hypothesis_profiles import own_timeout, runs_long

pytestmark = pytest.mark.timeout(own_timeout(300))

PAY, REVERSE, MOVE_OUT = "Ada pays A", "the payment is reversed", "Ada moves out"
SCENARIOS: list[tuple[CacheProtocol, tuple[str, ...]]] = [
    (DEBTS, (PAY, REVERSE)),
    (DEBTS, (PAY, "Ada pays B")),
    (DEBTS, (PAY, MOVE_OUT)),
    (WHOLE_HISTORY, (PAY, REVERSE)),
]
LONG_SCENARIOS: list[tuple[CacheProtocol, tuple[str, ...]]] = [
    (DEBTS, (PAY, REVERSE, "Ada pays A and B")),
    (DEBTS, (PAY, "Ada pays B", MOVE_OUT)),
]


@pytest.mark.parametrize(
    ("protocol", "changes"), SCENARIOS + (LONG_SCENARIOS if runs_long() else [])
)
def test_no_failure_of_redis_makes_a_read_show_what_is_paid_or_was_never_true(
    protocol: CacheProtocol, changes: tuple[str, ...]
) -> None:
    checked = Model(protocol, scenario(*changes), FailingRedis()).explore()
    sys.stdout.write(f"{checked}\n")
    assert not checked.counterexample, str(checked)
    assert checked.states > 2_000
    assert {f"reader 1 reads {found}" for found in ("nothing", "version 8", "version 9")} <= set(
        checked.moves
    )


# The checker has teeth, and does not cry wolf.


def counterexample(wrong: CacheProtocol, redis: Redis) -> tuple[str, ...]:
    """Return the shortest scenario in which a paid bill is shown as debt, if there is one."""
    checked = Model(wrong, scenario(PAY), redis, promises=["I9"]).explore()
    sys.stdout.write(f"{checked}\n\n")
    return checked.counterexample


@pytest.mark.parametrize("name", WRONG_AT_ONCE)
def test_these_protocols_show_paid_bills_even_without_a_fault(name: str) -> None:
    told = counterexample(WRONG_AT_ONCE[name], SoundRedis())
    assert told.index(f"the writer commits: {PAY}") < told.index("the writer is answered")
    assert told[-1].startswith("I9: ")


@pytest.mark.parametrize("name", WRONG_WHEN_REDIS_FAILS)
def test_these_protocols_stand_until_redis_fails(name: str) -> None:
    wrong = WRONG_WHEN_REDIS_FAILS[name]
    assert counterexample(wrong, SoundRedis()) == ()
    assert counterexample(wrong, FailingRedis())[-1].startswith("I9: ")


def test_a_counterexample_can_be_read() -> None:
    assert list(counterexample(WRONG_AT_ONCE["delete_after_commit"], SoundRedis())) == [
        "reader 1 reads nothing",
        "reader 1 asks the ledger for open_debts",
        "the writer commits: Ada pays A",
        "the writer sends delete",
        "the writer is answered",
        "reader 1 sends set",
        "reader 1 reads version 8",
        (
            "I9: the payment was answered before the read began; it shows the bill of 2026-01-01"
            " as debt"
        ),
    ]

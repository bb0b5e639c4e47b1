"""What arrives when, and in which mix."""

import random
from collections import Counter

import pytest

from tools.load.errors import LoadError
from tools.load.schedule import Arrival, Mix, arrivals

MIX = Mix.parse("debts=3,pay=1")


def planned(*, poisson: bool, seed: str = "7", seconds: float = 500.0) -> list[Arrival]:
    return arrivals(rate=4, seconds=seconds, poisson=poisson, mix=MIX, users=5, seed=seed)


def test_constant_arrivals_are_equally_far_apart() -> None:
    found = [arrival.at for arrival in planned(poisson=False, seconds=2)]
    assert found == [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    instants = [arrival.at for arrival in planned(poisson=True)]
    counts = Counter(int(at) for at in instants)
    mean = len(instants) / 500
    variance = sum((counts[second] - mean) ** 2 for second in range(500)) / 500
    assert mean == pytest.approx(4, rel=0.1)
    assert variance == pytest.approx(mean, rel=0.3)
    assert instants == sorted(instants)


def test_the_same_seed_gives_the_same_arrivals_and_another_gives_others() -> None:
    assert planned(poisson=True) == planned(poisson=True)
    assert planned(poisson=True) != planned(poisson=True, seed="8")


def test_operations_come_by_their_weights_and_from_all_users() -> None:
    found = planned(poisson=True)
    shares = Counter(arrival.operation for arrival in found)
    assert shares["debts"] / shares["pay"] == pytest.approx(3, rel=0.2)
    assert {arrival.user for arrival in found} == set(range(5))


def test_a_mix_is_read_as_it_is_written() -> None:
    assert str(Mix.parse(" debts=5, pay=0.5")) == "debts=5,pay=0.5"
    assert Mix.parse("login=1").pick(random.Random(1)) == "login"
    assert (MIX.share("pay"), MIX.share("sync")) == (0.25, 0.0)


@pytest.mark.parametrize("text", ["", "refund=1", "pay", "pay=0", "pay=-1", "pay=much", "pay=inf"])
def test_a_mix_that_can_not_be_is_rejected(text: str) -> None:
    with pytest.raises(LoadError):
        Mix.parse(text)

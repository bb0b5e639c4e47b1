"""The sync of histories in every short story: I10, a client ends with exactly the server's history.

See README.md for the method and its bounds.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from tests.model_checking.explorer import Explored
from tests.model_checking.sync_clients import DocumentedClient, PublicClient
from tests.model_checking.sync_ledger import Sizes
from tests.model_checking.sync_mistakes import (
    ClientThatDropsCovered,
    ServerWithClosedFrames,
    covered_without_its_tick,
    nothing_older_is_sent,
    posted_at_one_instant,
    posted_by_an_early_clock,
    the_public_client_keeps_everything,
    the_rest_of_a_page_is_forgotten,
    the_stretch_is_not_clamped,
)
from tests.model_checking.sync_world import Budget, Client, SyncChecker
from tests.support.model_runs import own_timeout, runs_long

pytestmark = pytest.mark.timeout(own_timeout(300))

SMALL = Sizes(page=2, part=1)
EVERY_MOVE = {
    "pay 1",
    "pay 2",
    "reverse",
    "move out",
    "move in",
    "move in now",
    "turned away",
    "sync by cursor",
    "sync by frame",
    "sync by nothing",
}

Case = tuple[Client, Budget, Sizes]
CASES: list[Case] = [
    (DocumentedClient(), Budget(events=3, moves=2), SMALL),
    (DocumentedClient(), Budget(events=3, moves=1), Sizes(page=1, part=1)),
    (PublicClient(), Budget(events=2, moves=2), SMALL),
    (PublicClient(), Budget(events=3, moves=1), Sizes(page=3, part=2)),
]
LONG_CASES: list[Case] = [
    (client, budget, sizes)
    for client in (DocumentedClient(), PublicClient())
    for budget in (Budget(events=5, moves=1), Budget(events=4, moves=2))
    for sizes in (Sizes(page=1, part=1), SMALL, Sizes(page=3, part=2))
]


def shown(checked: Explored) -> Explored:
    """Print the numbers, and the counterexample if there is one."""
    sys.stdout.write(f"{checked}\n{checked.counterexample or ''}\n")
    return checked


@pytest.mark.parametrize(("client", "budget", "sizes"), CASES + LONG_CASES * runs_long())
def test_whatever_is_lost_or_moved_a_client_holds_what_is_covered_and_ends_with_all(
    client: Client, budget: Budget, sizes: Sizes
) -> None:
    checked = shown(SyncChecker(client, budget).explore(sizes))
    assert checked.counterexample is None, f"\n{checked.counterexample}"
    assert set(checked.moves) == EVERY_MOVE
    assert checked.states > 800


@pytest.mark.parametrize(
    ("client", "wrong", "patched"),
    [
        (DocumentedClient(), {"server": ServerWithClosedFrames()}, nullcontext()),
        (DocumentedClient(), {"post": posted_at_one_instant}, nullcontext()),
        (DocumentedClient(), {"post": posted_by_an_early_clock}, nullcontext()),
        (ClientThatDropsCovered(), {}, nullcontext()),
        (DocumentedClient(), {}, covered_without_its_tick()),
        (DocumentedClient(), {}, nothing_older_is_sent()),
        (DocumentedClient(), {}, the_stretch_is_not_clamped()),
        (DocumentedClient(), {}, the_rest_of_a_page_is_forgotten()),
        (PublicClient(), {}, the_public_client_keeps_everything()),
    ],
    ids=[
        "closed frames",
        "instants that don't grow",
        "clock asked before the lock",
        "client that drops covered",
        "covered without its tick",
        "nothing older is sent",
        "stretch not clamped",
        "more is forgotten",
        "public client keeps everything",
    ],
)
def test_a_mistake_gives_a_story_in_which_a_client_ends_with_another_history(
    client: Client, wrong: dict[str, Any], patched: AbstractContextManager[None]
) -> None:
    with patched:
        checked = shown(SyncChecker(client, Budget(3, 2), **wrong).explore(Sizes(1, 1)))
    assert checked.counterexample is not None
    assert checked.counterexample.broken.startswith("I10: ")
    assert any(step.startswith("sync") for step in checked.counterexample.story)

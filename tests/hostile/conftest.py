"""Fixtures of the tests that attack the running service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Scene, scene_on
from tools.local.stack import Stack


@pytest.fixture(scope="module")
def stage(stack: Stack) -> Iterator[Scene]:
    """Give a scene for a whole file; whatever was done, the ledger must be right after it."""
    with scene_on(stack) as scene:
        yield scene
        assert scene.ledger.violations() == []

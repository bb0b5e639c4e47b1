"""Fixtures of the tests that attack the running service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Environment, environment_on
from tools.local.stack import Stack


@pytest.fixture(scope="module")
def stage(stack: Stack) -> Iterator[Environment]:
    """Give an environment for a whole file; the ledger must be right after it."""
    with environment_on(stack) as env:
        yield env
        assert env.ledger.violations() == []

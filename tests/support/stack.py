"""The whole service as a user starts it, for tests that go through HTTP or kill its processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.local.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the whole service, started once for the test run and ended after it."""
    stack = Stack(tmp_path_factory.mktemp("stack") / "state")
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()

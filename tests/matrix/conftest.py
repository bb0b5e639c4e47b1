"""One harness for all scenarios of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.matrix.scenario")

from tests.matrix.harness import Harness  # noqa: E402 - after what says how to import


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Give the servers, proxies and workers."""
    harness = Harness(tmp_path_factory.mktemp("matrix") / "state")
    try:
        harness.start()
        yield harness
    finally:
        harness.stop()

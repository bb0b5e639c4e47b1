"""One bench for all stories of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite(
    "tests.matrix.story", "tests.matrix.telling", "tests.matrix.truths", "tests.matrix.workers"
)

from tests.matrix.bench import Bench  # noqa: E402 - after what says how to import


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give the servers, proxies and workers."""
    bench = Bench(tmp_path_factory.mktemp("matrix") / "state")
    try:
        yield bench
    finally:
        bench.close()

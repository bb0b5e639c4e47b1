"""A real Redis-protocol server, one per test run and worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tools.local.redis import EmbeddedRedis


def cache_secret(url: str) -> Mapping[str, Any]:
    """Return the fields of the cache's secret for a URL."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port,
        "username": parts.username or None,
        "password": parts.password,
        "tls": False,
    }


@pytest.fixture(scope="session")
def redis_secret(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Any]]:
    """Start the server and return how to reach it."""
    folder: Path = tmp_path_factory.mktemp("redis")
    server = EmbeddedRedis(folder)
    try:
        yield cache_secret(server.start())
    finally:
        server.stop()

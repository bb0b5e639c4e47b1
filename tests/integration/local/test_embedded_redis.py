"""The embedded Redis-protocol server keeps port and password, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from tools.local.redis import EmbeddedRedis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def test_it_answers_and_forgets_at_a_restart(server: EmbeddedRedis) -> None:
    before = server.url
    with redis.Redis.from_url(before) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"
    server.stop()
    assert server.start() == before
    with redis.Redis.from_url(before) as client:
        assert client.get("key") is None


def test_nobody_gets_in_without_the_password(server: EmbeddedRedis) -> None:
    parts = urlsplit(server.url)
    url = f"redis://:guess@{parts.hostname}:{parts.port}/0"
    with redis.Redis.from_url(url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_is_for_the_owners_eyes_alone(server: EmbeddedRedis, tmp_path: Path) -> None:
    files = [file for file in (tmp_path / "redis").iterdir() if file.suffix in (".json", ".conf")]
    assert [file.stat().st_mode & 0o077 for file in files] == [0, 0]

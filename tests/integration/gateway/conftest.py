"""The fixtures of the gateway's unit tests, for its tests with sockets."""

from __future__ import annotations

from tests.unit.gateway.conftest import keyring, login, queues

__all__ = ["keyring", "login", "queues"]

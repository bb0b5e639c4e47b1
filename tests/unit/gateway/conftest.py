"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws
from werkzeug.test import Client

from tests.unit.gateway.tools import ANNA, DOCUMENT, Keyring, Queues
from tools.local.gateway import create_app
from tools.local.gateway.sqs import Sqs

Login = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """The keys of the user pool."""
    return Keyring()


@pytest.fixture
def queues() -> Iterator[Queues]:
    """Queues in this process."""
    with mock_aws():
        yield Queues()


@pytest.fixture
def serve(queues: Queues, keyring: Keyring) -> Callable[..., Client]:
    """Make a client of a gateway over the queues."""

    def serve(**options: Any) -> Client:
        settings: dict[str, Any] = {
            "backend": Sqs(queues.sqs),
            "keys": lambda _: keyring,
            **options,
        }
        return Client(create_app(document=DOCUMENT, **settings))

    return serve


@pytest.fixture
def client(serve: Callable[..., Client]) -> Client:
    """A client of the gateway over the queues."""
    return serve()


@pytest.fixture
def login(keyring: Keyring) -> Login:
    """Make the headers of a signed-in resident."""

    def login(subject: str = ANNA, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {keyring.token(subject, **claims)}"}

    return login

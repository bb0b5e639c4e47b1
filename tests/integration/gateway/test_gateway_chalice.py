"""`chalice local` gives the same answers as the gateway itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalDevServer

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import (
    APARTMENT,
    CONTRACT,
    DOCUMENT,
    QUEUE_NAME,
    Keyring,
    MemoryQueues,
)
from tools.local.gateway import create_app
from tools.local.gateway.chalice_routes import mount

UTILS = f"/apartments/{APARTMENT}/utils"


@pytest.fixture
def app(queues: MemoryQueues, keyring: Keyring) -> Chalice:
    """A Chalice app with the contract's routes."""
    app = Chalice(app_name="billing", configure_logs=False)
    mount(app, create_app(document=DOCUMENT, backend=queues, keys=lambda _: keyring))
    return app


@pytest.fixture
def connection(app: Chalice) -> Iterator[HTTPConnection]:
    """A connection to what `chalice local` runs."""
    server = LocalDevServer(app, Config(chalice_stage="dev"), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.server.server_port, timeout=10)
    yield connection
    connection.close()
    server.shutdown()
    server.server.server_close()
    thread.join()


def ask(
    connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Make a request; give status, headers and body."""
    raw = body if isinstance(body, str | None) else json.dumps(body)
    connection.request(
        method, path, raw, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, dict(answer.getheaders()), json.loads(text) if text else None


def test_each_route_of_the_contract_is_a_route_of_the_app(app: Chalice) -> None:
    routes = {(method, path) for path, methods in app.routes.items() for method in methods}
    assert routes == {(entry.method, entry.path) for entry in CONTRACT.operations}


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "image/png"])
def test_the_executor_rejects_other_content_types(
    connection: HTTPConnection, login: Login, content_type: str
) -> None:
    status, headers, answer = ask(
        connection, "POST", UTILS, "x", Content_Type=content_type, **login()
    )
    assert (status, answer["code"]) == (415, "unsupported_media_type")
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_the_executor_asks_for_the_token(connection: HTTPConnection) -> None:
    status, _, answer = ask(connection, "GET", f"{UTILS}/{QUEUE_NAME}")
    assert (status, answer["code"]) == (401, "unauthorized")


def test_preflights_are_answered_by_the_contract(connection: HTTPConnection) -> None:
    status, headers, _ = ask(connection, "OPTIONS", "/auth")
    assert status == 204
    assert headers["Access-Control-Allow-Headers"] == "Authorization,Content-Type,Idempotency-Key"

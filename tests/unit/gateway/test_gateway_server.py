"""The gateway as a server: many long polls at once, a log without secrets, a process of its own."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from werkzeug.test import Client

from tests.unit.gateway.conftest import Login
from tests.unit.gateway.tools import APARTMENT, DOCUMENT, QUEUE_NAME, Keyring
from tools.local.gateway import create_app
from tools.local.gateway.__main__ import app_from, main
from tools.local.gateway.server import make_http_server
from tools.local.gateway.sqs import Answer

POLLS = 120
ENVIRONMENT = {
    "BILLING_PREFIX": "bill-test",
    "AWS_REGION": "eu-central-1",
    "USER_POOL_ID": "eu-central-1_x",
    "USER_POOL_CLIENT_ID": "c",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


@contextmanager
def serving(backend: object) -> Iterator[tuple[str, int]]:
    """Serve a gateway over a backend on a free port."""
    app = create_app(document=DOCUMENT, backend=backend, keys=lambda _: Keyring())  # type: ignore[arg-type]
    server = make_http_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "127.0.0.1", server.port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def get(address: tuple[str, int], path: str) -> tuple[int, bytes]:
    """Make one request."""
    connection = HTTPConnection(*address, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_hundred_long_polls_wait_side_by_side() -> None:
    class Everyone:
        """Answers nobody before all have asked."""

        barrier = threading.Barrier(POLLS)

        def call(self, path: str, body: str) -> Answer:
            self.barrier.wait(timeout=25)
            return Answer(200, {"ReceiveMessageResponse": {}})

    with serving(Everyone()) as address, ThreadPoolExecutor(POLLS) as pool:
        path = f"/auth/{QUEUE_NAME}"
        answers = list(pool.map(lambda _: get(address, path), range(POLLS)))
    assert answers == [(200, b'{"replies":[]}')] * POLLS


def test_the_log_has_a_line_for_each_request_and_no_secret(
    client: Client, login: Login, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = {**login(), "Idempotency-Key": "secret-key"}
    body = {"username": "secret-user", "password": "secret-word", "queue_name": QUEUE_NAME}
    client.post("/auth", json=body)
    client.get(
        f"/apartments/{APARTMENT}/utils/{QUEUE_NAME}?wait_seconds=0&x=secret", headers=headers
    )
    client.delete(f"/auth/{QUEUE_NAME}?receipt=secret-receipt")
    client.get("/secret-path", headers=headers)
    records = [json.loads(record.message) for record in caplog.records]
    assert [(entry["method"], entry["route"], entry["status"]) for entry in records] == [
        ("POST", "/auth", 202),
        ("GET", "/apartments/{apartment_id}/utils/{queue_name}", 200),
        ("DELETE", "/auth/{queue_name}", 400),
        ("GET", None, 404),
    ]
    for forbidden in ("secret", QUEUE_NAME, APARTMENT, headers["Authorization"][7:20]):
        assert forbidden not in caplog.text


@pytest.mark.parametrize(
    "name", ["BILLING_PREFIX", "AWS_REGION", "USER_POOL_ID", "USER_POOL_CLIENT_ID"]
)
def test_a_missing_variable_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    assert main(environment) == 2
    assert name in capsys.readouterr().err


def test_a_port_in_use_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(None) as (_, port):
        assert main({**ENVIRONMENT, "PORT": str(port)}) == 2
    assert "PORT" in capsys.readouterr().err


def test_stage_and_rate_are_set_by_the_environment() -> None:
    stage_and_rate = {"STAGE": "v1", "GATEWAY_RATE": "0.001", "GATEWAY_BURST": "2"}
    client = Client(app_from({**ENVIRONMENT, **stage_and_rate}))
    statuses = [client.options("/v1/auth").status_code for _ in range(3)]
    assert statuses == [204, 204, 429]


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_answered(address: tuple[str, int]) -> tuple[int, bytes]:
    """Ask for /health until somebody answers, 20 seconds at the most."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return get(address, "/health")
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_process_serves_until_it_is_told_to_end() -> None:
    port = free_port()
    environment = {**os.environ, **ENVIRONMENT, "PORT": str(port)}
    command = [sys.executable, "-m", "tools.local.gateway"]
    with subprocess.Popen(command, env=environment) as process:
        answer = until_answered(("127.0.0.1", port))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert answer == (200, b'{"ready": true}')

"""The gateway as a server: many long polls at once, and a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.unit.gateway.tools import DOCUMENT, QUEUE_NAME, Keyring
from tools.local.gateway import create_app
from tools.local.gateway.server import make_http_server
from tools.local.gateway.sqs import Answer
from tools.local.processes import free_port
from tools.local.settings import REPOSITORY

POLLS = 120


@contextmanager
def serving(backend: object) -> Iterator[str]:
    """Serve a gateway over a backend on a free port."""
    # A backend of these tests has only the methods that are called.
    app = create_app(document=DOCUMENT, backend=backend, keys=lambda _: Keyring())  # type: ignore[arg-type]
    server = make_http_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_hundred_long_polls_wait_side_by_side() -> None:
    class Everyone:
        """Answers nobody before all have asked."""

        barrier = threading.Barrier(POLLS)

        def call(self, path: str, body: str) -> Answer:
            self.barrier.wait(timeout=25)
            return Answer(200, {"ReceiveMessageResponse": {}})

    with serving(Everyone()) as address, ThreadPoolExecutor(POLLS) as pool:
        path = f"{address}/auth/{QUEUE_NAME}"
        answers = list(pool.map(lambda _: httpx.get(path, timeout=30), range(POLLS)))
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (200, '{"replies":[]}')
    ] * POLLS


def test_the_process_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "BILLING_PREFIX": "bill-test",
        "AWS_REGION": "eu-central-1",
        "USER_POOL_ID": "eu-central-1_x",
        "USER_POOL_CLIENT_ID": "c",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "PORT": str(port),
        "BILLING_STATE": str(tmp_path),
    }
    command = [sys.executable, "-m", "tools.local.gateway"]
    with subprocess.Popen(command, env=os.environ | variables, cwd=REPOSITORY) as process:
        answer = until_answered(f"http://127.0.0.1:{port}/health")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "parts": {"start": False}})


def until_answered(url: str) -> httpx.Response:
    """Ask until somebody answers, 20 seconds at the most."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)

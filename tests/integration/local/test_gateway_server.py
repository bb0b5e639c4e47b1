"""The gateway as a server: many long polls wait at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.unit.gateway.tools import DOCUMENT, QUEUE_NAME, Keyring
from tools.local.gateway import create_app
from tools.local.gateway.server import make_http_server
from tools.local.gateway.sqs import Answer

POLLS = 120


class Everyone:
    """A backend that answers nobody before all have asked."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(POLLS)

    def call(self, path: str, body: str) -> Answer:
        self._barrier.wait(timeout=25)
        return Answer(200, {"ReceiveMessageResponse": {}})


def test_a_hundred_long_polls_wait_side_by_side() -> None:
    app = create_app(document=DOCUMENT, backend=Everyone(), keys=lambda _: Keyring())
    server = make_http_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        path = f"http://127.0.0.1:{server.port}/auth/{QUEUE_NAME}"
        with ThreadPoolExecutor(POLLS) as pool:
            answers = list(pool.map(lambda _: httpx.get(path, timeout=30), range(POLLS)))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"replies":[]}')}

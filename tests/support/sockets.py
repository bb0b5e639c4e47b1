"""A server that accepts connections and says nothing sensible."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Listener(socketserver.ThreadingTCPServer):
    """Answers whatever it reads with the same bytes, or not at all."""

    daemon_threads = True

    def __init__(
        self, answer: bytes, pause_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.tls, self.received = tls, b""
        self.answer, self.pause_seconds = answer, pause_seconds
        self.accepted: list[object] = []
        self.port: int = self.server_address[1]


class _Connection(socketserver.BaseRequestHandler):
    server: Listener

    def setup(self) -> None:
        self.server.accepted.append(self.client_address)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            while found := self.request.recv(65536):
                self.server.received += found
                for byte in self.server.answer:
                    self.request.sendall(bytes([byte]))
                    time.sleep(self.server.pause_seconds)

    def finish(self) -> None:
        self.request.close()


@contextmanager
def listening(
    answer: bytes = b"", *, pause_seconds: float = 0.0, tls: ssl.SSLContext | None = None
) -> Iterator[Listener]:
    """Run a server that sends the answer byte by byte, pausing after each."""
    with Listener(answer, pause_seconds, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

"""A proxy that reads the Postgres protocol, to see a payment's statement go and its answer come.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from tools.chaos.proxies.tcp import Line, Proxy

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_READY, _ERROR = b"Z", b"E"
PAYMENT = {"api.pay(": "payments"}


class PostgresProxy(Proxy):
    """Sees `before_payment`, `in_commit` and `committed` of each call of api.pay.

    `in_commit` is told when the server has got the statement and nothing of its answer has gone
    on; `committed` when its transaction has ended well (a rejection is stored and commits, too).
    Other `statements` (operations by a part of the text) have these steps, too. Encryption is
    declined, as the embedded server does.
    """

    def __init__(self, upstream_port: int, statements: Mapping[str, str] = PAYMENT) -> None:
        super().__init__(upstream_port)
        self._statements = {text.encode(): operation for text, operation in statements.items()}

    def operation_of(self, message: bytes) -> str:
        """Return whose watched statement a message is; empty when it is none."""
        if message[:1] not in (b"Q", b"P"):
            return ""
        return next((op for text, op in self._statements.items() if text in message), "")

    def _carry(self, line: Line) -> None:
        session = _Session(self, line)
        self._both_ways(line, session.requests, session.answers)


class _Session:
    def __init__(self, proxy: PostgresProxy, line: Line) -> None:
        self._proxy = proxy
        self._line = line
        self._sent = b""
        self._came = b""
        self._started = False
        self._watched = ""
        self._held: list[bytes] = []

    def requests(self, data: bytes) -> Iterator[bytes]:
        self._sent += data
        while message := self._next_request():
            if not self._started and self._declined(message):
                continue
            if operation := self._proxy.operation_of(message):
                yield from self._watched_request(message, operation)
            else:
                yield message

    def answers(self, data: bytes) -> Iterator[bytes]:
        self._came += data
        while message := _first(self._came, typed=True):
            self._came = self._came[len(message) :]
            yield from self._held_until_ready(message) if self._watched else (message,)

    def _next_request(self) -> bytes:
        message = _first(self._sent, typed=self._started)
        self._sent = self._sent[len(message) :]
        return message

    def _declined(self, message: bytes) -> bool:
        code = struct.unpack("!I", message[4:8])[0]
        if code in (_SSL_REQUEST, _GSS_REQUEST):
            self._line.client.sendall(b"N")
            return True
        self._started = code != _CANCEL_REQUEST
        return False

    def _watched_request(self, message: bytes, operation: str) -> Iterator[bytes]:
        self._proxy.notify("before_payment", self._line, operation)
        self._watched = operation
        yield message
        self._proxy.notify("in_commit", self._line, operation)

    def _held_until_ready(self, message: bytes) -> Iterator[bytes]:
        # A long answer starts to come before its transaction ends; only "ready" says that it has.
        self._held.append(message)
        if message[:1] != _READY:
            return
        answer, operation = self._held, self._watched
        self._held, self._watched = [], ""
        if not any(part[:1] == _ERROR for part in answer):
            self._proxy.notify("committed", self._line, operation)
        yield b"".join(answer)


def _first(data: bytes, *, typed: bool) -> bytes:
    """Return the first whole message of the data; empty when it isn't whole yet.

    Its length counts itself, but not the letter before it.
    """
    before = 1 if typed else 0
    if len(data) < before + 4:
        return b""
    length = before + int(struct.unpack_from("!I", data, before)[0])
    return data[:length] if len(data) >= length else b""

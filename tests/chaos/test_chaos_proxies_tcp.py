"""A jammed proxy looks to its clients as a broken server does."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from tools.chaos.proxies.redis import RedisProxy
from tools.chaos.proxies.tcp import Line, Proxy


class Plain(Proxy):
    """Passes everything on."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self.owners: list[int | None] = []

    def _carry(self, line: Line) -> None:
        self.owners.append(line.pid)
        self._both_ways(line, lambda data: [data], lambda data: [data])


def echo(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_echo_one, args=[connection], daemon=True).start()


def _echo_one(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(100):
            connection.sendall(data)


@pytest.fixture
def proxy() -> Iterator[Plain]:
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=echo, args=[listener])
    thread.start()
    with Plain(listener.getsockname()[1]) as proxy:
        yield proxy
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def said(connection: socket.socket, data: bytes = b"hello") -> bytes:
    connection.sendall(data)
    return connection.recv(100)


def test_bytes_pass_and_their_owner_is_known(proxy: Plain) -> None:
    with connect(proxy) as connection:
        assert said(connection) == b"hello"
        assert proxy.owners == [os.getpid()]


def test_a_rejecting_proxy_rejects_and_cuts_and_keeps_its_port(proxy: Plain) -> None:
    with connect(proxy) as connection:
        assert said(connection) == b"hello"
        proxy.reject()
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.restore()
    with connect(proxy) as connection:
        assert said(connection) == b"hello"


def test_a_hanging_proxy_answers_once_it_is_restored(proxy: Plain) -> None:
    proxy.hang()
    with connect(proxy) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            said(connection)
        proxy.restore()
        connection.settimeout(5)
        assert connection.recv(100) == b"hello"


def test_a_cut_ends_what_is_there_and_nothing_else(proxy: Plain) -> None:
    with connect(proxy) as connection:
        assert said(connection) == b"hello"
        proxy.cut()
        assert connection.recv(1) == b""
    with connect(proxy) as connection:
        assert said(connection) == b"hello"


def test_a_delay_holds_both_directions(proxy: Plain) -> None:
    proxy.delay(0.3)
    with connect(proxy) as connection:
        connection.settimeout(0.4)
        with pytest.raises(TimeoutError):
            said(connection)
        connection.settimeout(5)
        assert connection.recv(100) == b"hello"


def test_nobody_behind_the_proxy_ends_the_connection(proxy: Plain) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with (
            RedisProxy(unheard.getsockname()[1]) as alone,
            connect(alone) as connection,
        ):
            assert connection.recv(1) == b""

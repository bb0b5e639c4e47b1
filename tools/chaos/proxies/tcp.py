"""A TCP proxy on 127.0.0.1 that can reject, hang and cut; its subclasses read the protocol."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psutil

# The named steps of a request, in their order.
STEPS = ("received", "before_payment", "in_commit", "committed", "replied", "before_delete")

_CHUNK = 65_536
_LOOK_SECONDS = 0.02

# Takes bytes as they come and yields what is to be passed on; is resumed once that was sent.
Reader = Callable[[bytes], Iterable[bytes]]
Watcher = Callable[["StepEvent"], None]


class Line:
    """A connection through a proxy: the client's socket and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self._ends = client.getpeername(), client.getsockname()
        self._is_cut = False

    @cached_property
    def pid(self) -> int | None:
        """Process that the client's end belongs to; None when it is gone."""
        # Both ends: another connection that is just closing may have the same port on this side.
        all_ends = psutil.net_connections("tcp4")
        return next((end.pid for end in all_ends if (end.laddr, end.raddr) == self._ends), None)

    def reconnect(self, port: int) -> None:
        """Take a new connection to the server; raises OSError when the line was cut."""
        self.server.close()
        if self._is_cut:
            raise ConnectionAbortedError
        self.server = connect(port)

    def cut(self) -> None:
        """End the connection to both sides, whatever is under way on it."""
        self._is_cut = True
        for end in (self.client, self.server):
            # shutdown() wakes the thread that reads from the socket; close() would not.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the sockets back; only for the thread that reads them last."""
        self.cut()
        self.client.close()
        self.server.close()


@dataclass(frozen=True)
class StepEvent:
    """A named step seen on the wire, told before the bytes go on (`in_commit`: right after).

    `operation` is whose step it is, such as payments; of `replied` it is empty, as reply queues
    don't say. `queue` is the SQS queue, empty for Postgres.
    """

    step: str
    line: Line
    operation: str = ""
    queue: str = ""


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    allow_reuse_port = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        super().__init__(("127.0.0.1", port), socketserver.BaseRequestHandler)
        self._serve = serve
        threading.Thread(target=self.serve_forever, args=(_LOOK_SECONDS,), daemon=True).start()

    def finish_request(self, request: Any, _address: object) -> None:
        """Serve a connection, in its own thread."""
        self._serve(request)

    def stop(self) -> None:
        """Take no connection any more."""
        self.shutdown()
        self.server_close()


class Proxy:
    """Forwards a port of its own to `upstream_port` of 127.0.0.1.

    The faults stay until `restore`; they may be called from any thread, in any order.
    """

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        # Holds the port while we reject: bound without listening, it answers no one.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self._listener: _Listener | None = None
        self._lines: set[Line] = set()
        self._lock = threading.Lock()
        self._watchers: list[Watcher] = []
        # Bytes wait while it is not set.
        self.passing = threading.Event()
        self.passing.set()

    def start(self) -> None:
        """Take connections."""
        with self._lock:
            if self._listener is None:
                self._listener = _Listener(self.port, self._serve)

    def stop(self) -> None:
        """End everything and give the port back."""
        self.passing.set()
        self.reject()
        self._place.close()

    def reject(self) -> None:
        """Reject new connections and cut the present ones: the server is gone."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()
        self.cut()

    def hang(self) -> None:
        """Take connections and bytes, but pass nothing on until `restore`: the server is frozen."""
        self.passing.clear()

    def cut(self) -> None:
        """Cut the present connections; new ones are taken."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.cut()

    def restore(self) -> None:
        """End rejecting and hanging."""
        self.passing.set()
        self.start()

    @contextlib.contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        """Call the watcher at every named step, in the thread of the connection.

        The bytes wait until it returns: it may kill the process (`moment.line.pid`), cut, or hold.
        """
        self._watchers = [*self._watchers, watcher]
        try:
            yield
        finally:
            self._watchers = [other for other in self._watchers if other != watcher]

    def notify(self, step: str, line: Line, operation: str, queue: str = "") -> None:
        """Call the watchers."""
        for watcher in self._watchers:
            watcher(StepEvent(step, line, operation, queue))

    def _carry(self, line: Line) -> None:
        """Pass bytes on until the connection ends; subclasses say how."""
        raise NotImplementedError

    def _both_ways(self, line: Line, requests: Reader, answers: Reader) -> None:
        upward = threading.Thread(
            target=_pump, args=(line, line.client, line.server, requests, self.passing), daemon=True
        )
        upward.start()
        _pump(line, line.server, line.client, answers, self.passing)
        upward.join()

    def _serve(self, client: socket.socket) -> None:
        try:
            line = Line(client, connect(self.upstream_port))
        except OSError:
            # Nobody is behind us, or the client has gone: as if we had rejected.
            return
        line.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._lines.add(line)
        try:
            if self._listener is not None:
                self._carry(line)
        finally:
            with self._lock:
                self._lines.discard(line)
            line.close()


def _pump(
    line: Line, source: socket.socket, target: socket.socket, read: Reader, passing: threading.Event
) -> None:
    try:
        while data := source.recv(_CHUNK):
            for piece in read(data):
                passing.wait()
                target.sendall(piece)
    except OSError:
        # Cut by a fault, or one side died: that is what we are here for.
        return
    finally:
        line.cut()


def connect(port: int) -> socket.socket:
    """Connect to a port of 127.0.0.1; raises OSError when nobody listens there."""
    made = socket.create_connection(("127.0.0.1", port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made

"""A TCP proxy on 127.0.0.1 that can reject, hang and cut; its subclasses read the protocol."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from tools.chaos.proxies.owner import owner_of

_CHUNK = 65_536
_END_SECONDS = 5.0

# Takes bytes as they come and yields what is to be passed on; is resumed once that was sent.
Reader = Callable[[bytes], Iterable[bytes]]
Watcher = Callable[["StepEvent"], None]


class Line:
    """A connection through a proxy: the client's socket and the server's."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self._port: int = client.getpeername()[1]

    @cached_property
    def pid(self) -> int | None:
        """Process that the client's end belongs to; None when it is gone."""
        return owner_of(self._port)

    def reconnect(self, port: int) -> None:
        """Take a new connection to the server, whose old one is used up."""
        self.server.close()
        self.server = connect(port)

    def cut(self) -> None:
        """End the connection to both sides, whatever is under way on it."""
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

    `operation` is whose step it is: auth, utils, histories or payments; of `replied` it is
    empty, as reply queues don't say. `queue` is the SQS queue, empty for Postgres.
    """

    step: str
    line: Line
    operation: str = ""
    queue: str = ""

    @property
    def pid(self) -> int | None:
        """Process whose step it is; None when it is gone already."""
        return self.line.pid

    def cut(self) -> None:
        """End the connection, so that the bytes do not go on."""
        self.line.cut()


class Proxy:
    """Forwards a port of its own to `upstream_port` of 127.0.0.1.

    The faults stay until `restore`; they may be called from any thread, in any order.
    """

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        # Holds the port while we reject: bound without listening, it answers no one.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]
        self._listener: socket.socket | None = None
        self._lines: set[Line] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._watchers: list[Watcher] = []
        # Bytes wait while it is not set.
        self.passing = threading.Event()
        self.passing.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Take connections."""
        with self._lock:
            if self._listener is None:
                self._listener = _bound(self.port)
                self._listener.listen(128)
                self._run(self._accept, self._listener)

    def stop(self) -> None:
        """End everything and give the port back."""
        self.reject()
        self.passing.set()
        deadline = time.monotonic() + _END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._place.close()

    def reject(self) -> None:
        """Reject new connections and cut the present ones: the server is gone."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
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

        The bytes wait until it returns: it may kill the process (`moment.pid`), cut, or hold.
        """
        self._watchers = [*self._watchers, watcher]
        try:
            yield
        finally:
            self._watchers = [other for other in self._watchers if other != watcher]

    def _notify(self, moment: StepEvent) -> None:
        for watcher in self._watchers:
            watcher(moment)

    def _carry(self, line: Line) -> None:
        """Pass bytes on until the connection ends; subclasses say how."""
        raise NotImplementedError

    def _both_ways(self, line: Line, requests: Reader, answers: Reader) -> None:
        upward = self._run(_pump, line, line.client, line.server, requests, self.passing)
        _pump(line, line.server, line.client, answers, self.passing)
        upward.join()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            line = Line(client, connect(self.upstream_port))
        except OSError:
            # Nobody is behind us, or the client has gone: as if we had rejected.
            client.close()
            return
        self._carry_between(line)

    def _carry_between(self, line: Line) -> None:
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

    def _run(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()]
        thread.start()
        self._threads.append(thread)
        return thread


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


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    return made

"""A proxy that reads the Redis protocol, to answer in the server's place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from tools.chaos.proxies import resp
from tools.chaos.proxies.tcp import Line, Proxy

# Gets a command's words and the server's answer to it, and returns the bytes to answer.
ChangeAnswer = Callable[[list[bytes], bytes], bytes]


class RedisProxy(Proxy):
    """Passes commands and answers on, the answers changed where `change_answers` says how."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self._change: ChangeAnswer | None = None

    def change_answers(self, change: ChangeAnswer) -> None:
        """Answer every command with what `change` makes of the server's answer."""
        self._change = change

    def restore(self) -> None:
        """End every fault, changed answers too."""
        self._change = None
        super().restore()

    def answer_to(self, words: list[bytes], answer: bytes) -> bytes:
        """Return what the client is sent."""
        return answer if self._change is None else self._change(words, answer)

    def _carry(self, line: Line) -> None:
        session = _Session(self)
        self._both_ways(line, session.requests, session.answers)


class _Session:
    def __init__(self, proxy: RedisProxy) -> None:
        self._proxy = proxy
        self._sent = b""
        self._came = b""
        self._asked: deque[list[bytes]] = deque()

    def requests(self, data: bytes) -> Iterator[bytes]:
        self._sent += data
        while length := resp.length_of_first(self._sent):
            command, self._sent = self._sent[:length], self._sent[length:]
            self._asked.append(resp.command(command))
            yield command

    def answers(self, data: bytes) -> Iterator[bytes]:
        self._came += data
        while length := resp.length_of_first(self._came):
            answer, self._came = self._came[:length], self._came[length:]
            # What a server says unasked answers no command.
            unasked = answer.startswith(b">") or not self._asked
            words = [] if unasked else self._asked.popleft()
            yield self._proxy.answer_to(words, answer)

"""A proxy for AWS's JSON protocol that sees SQS's part of a request flow and can change it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from tools.chaos.proxies.tcp import Line, Proxy
from tools.local.service import service

# The libraries write these themselves.
_HOP = {"content-length", "transfer-encoding"}


class Answer(NamedTuple):
    """What a service answers."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One call of an AWS service."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    line: Line

    @property
    def action(self) -> str:
        """What is called, as in SendMessage; empty outside of the JSON protocol."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    @property
    def fields(self) -> dict[str, Any]:
        """What it is called with."""
        fields: dict[str, Any] = json.loads(self.body) if self.action else {}
        return fields

    @property
    def queue(self) -> str:
        """Name of the queue that the call is about; empty outside of SQS."""
        return str(self.fields.get("QueueUrl", "")).rsplit("/", 1)[-1]

    @property
    def operation(self) -> str:
        """Operation whose request queue it is; empty for a reply queue and all else."""
        last = self.queue.rpartition("-")[2]
        return last if last in service().queues else ""

    def having(self, **fields: Any) -> Call:
        """Return the same call with other fields, for passing on."""
        return replace(self, body=json.dumps(self.fields | fields).encode())

    def instead(self, action: str, **fields: Any) -> Call:
        """Return another SQS call, to be made on the same connection."""
        headers = {**self.headers, "x-amz-target": f"AmazonSQS.{action}"}
        return replace(self, headers=headers, body=json.dumps(fields).encode())


Forward = Callable[[Call], Answer]
# Changes a call: passes it on by `forward` as often as it likes and returns the answer to give.
# ConnectionAbortedError cuts the connection instead.
Rule = Callable[[Call, Forward], Answer]


class AwsProxy(Proxy):
    """Sees `received`, `replied` and `before_delete`, and applies rules to each call.

    `received`: a request queue has answered ReceiveMessage with messages. `replied`: a reply
    queue has taken a SendMessage. `before_delete`: DeleteMessageBatch on a request queue came.
    Rules for SQS's usual faults are in `tools.chaos.proxies.sqs`; the first one added is outermost.
    """

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self._rules: list[Rule] = []

    @contextlib.contextmanager
    def applying(self, rule: Rule) -> Iterator[None]:
        """Apply the rule to every call meanwhile."""
        self.add(rule)
        try:
            yield
        finally:
            self._rules = [other for other in self._rules if other != rule]

    def add(self, rule: Rule) -> None:
        """Apply the rule to every call, until `restore`."""
        self._rules = [*self._rules, rule]

    def restore(self) -> None:
        """End every fault, rules too."""
        self._rules = []
        super().restore()

    def respond(self, call: Call, forward: Forward) -> Answer:
        """Answer a call, with the watchers and rules of this moment."""
        self.passing.wait()
        if call.action == "DeleteMessageBatch" and call.operation:
            self._notify_of("before_delete", call)
        for rule in reversed(self._rules):
            forward = _within(rule, forward)
        answer = forward(call)
        if answer.status == 200:
            self._notify_of_answer(call, answer)
        self.passing.wait()
        return answer

    def _carry(self, line: Line) -> None:
        # The server may go first, or a fault may cut the line at any byte.
        with contextlib.suppress(OSError, HTTPException):
            _Requests(self, line)

    def _notify_of_answer(self, call: Call, answer: Answer) -> None:
        if call.action == "SendMessage" and not call.operation:
            self._notify_of("replied", call)
        if call.action == "ReceiveMessage" and call.operation and b'"Messages"' in answer.body:
            self._notify_of("received", call)

    def _notify_of(self, step: str, call: Call) -> None:
        self.notify(step, call.line, call.operation, call.queue)


def _within(rule: Rule, forward: Forward) -> Forward:
    return lambda call: rule(call, forward)


class _Requests(BaseHTTPRequestHandler):
    """The requests of a line, one after the other, until its end."""

    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: AwsProxy, line: Line) -> None:
        self._proxy = proxy
        self._line = line
        no_server: Any = None
        super().__init__(line.client, ("", 0), no_server)

    def do_POST(self) -> None:
        """Pass a request on, and its answer back."""
        headers = _without_hop(self.headers.items())
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = Call(self.command, self.path, headers, body, self._line)
        answer = self._proxy.respond(call, self._forward)
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def do_GET(self) -> None:
        """Do the same."""
        self.do_POST()

    def _forward(self, call: Call) -> Answer:
        """Ask the server; raises OSError when either side has gone."""
        # Moto takes one request on a connection, as its header says.
        self._line.reconnect(self._proxy.upstream_port)
        server = HTTPConnection("")
        server.sock = self._line.server
        server.request(call.method, call.path, call.body, dict(call.headers))
        _wait_for_answer(self._line)
        answer = server.getresponse()
        return Answer(answer.status, answer.read(), _without_hop(answer.getheaders()))


def _without_hop(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower() not in _HOP}


def _wait_for_answer(line: Line) -> None:
    """Wait for the server; a client that goes away meanwhile must get no message any more."""
    waited = [line.client, line.server]
    while line.server not in (ready := select.select(waited, [], [])[0]):
        if line.client in ready:
            if not line.client.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError("the client has gone")
            waited = [line.server]

"""A proxy for AWS's JSON protocol that sees SQS's part of a request flow and can change it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tools.chaos.proxies.http import Message, read_message
from tools.chaos.proxies.tcp import Line, Proxy, StepEvent

OPERATIONS = ("auth", "utils", "histories", "payments")


@dataclass(frozen=True)
class Call:
    """One call of an AWS service: `action` as in SendMessage, `fields` its JSON body.

    `queue` is the queue's name, empty outside of SQS.
    """

    action: str
    fields: dict[str, Any]
    message: Message
    line: Line

    @property
    def queue(self) -> str:
        """Name of the queue that the call is about."""
        return str(self.fields.get("QueueUrl", "")).rsplit("/", 1)[-1]

    @property
    def operation(self) -> str:
        """Operation whose request queue it is; empty for a reply queue and all else."""
        last = self.queue.rpartition("-")[2]
        return last if last in OPERATIONS else ""

    def having(self, **fields: Any) -> Call:
        """Return the same call with other fields, for passing on."""
        changed = self.fields | fields
        body = json.dumps(changed).encode()
        return replace(self, fields=changed, message=self.message.with_body(body))

    def instead(self, action: str, **fields: Any) -> Call:
        """Return another SQS call, to be made on the same connection."""
        headers = tuple(
            (key, f"AmazonSQS.{action}" if key.lower() == "x-amz-target" else value)
            for key, value in self.message.headers
        )
        message = replace(self.message, headers=headers, body=json.dumps(fields).encode())
        return replace(self, action=action, fields=fields, message=message)


Forward = Callable[[Call], Message]
# Changes a call: passes it on by `forward` as often as it likes and returns the answer to give.
# ConnectionAbortedError cuts the connection instead.
Rule = Callable[[Call, Forward], Message]


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
            self.remove(rule)

    def add(self, rule: Rule) -> None:
        """Apply the rule to every call, until `remove` or `restore`."""
        self._rules = [*self._rules, rule]

    def remove(self, rule: Rule) -> None:
        """Apply it no more."""
        self._rules = [other for other in self._rules if other != rule]

    def restore(self) -> None:
        """End every fault, rules too."""
        self._rules = []
        super().restore()

    def _carry(self, line: Line) -> None:
        server = _Server(line, self.upstream_port)
        # The server may go first, or a fault may cut the line at any byte.
        with contextlib.suppress(OSError, ValueError), line.client.makefile("rb") as requests:
            while request := read_message(requests):
                answer = self._respond(_call(request, line), server.exchange)
                line.client.sendall(answer.spell())

    def _respond(self, call: Call, forward: Forward) -> Message:
        self.passing.wait()
        if call.action == "DeleteMessageBatch" and call.operation:
            self._notify_of("before_delete", call)
        for rule in reversed(self._rules):
            forward = partial(_apply, rule, forward)
        answer = forward(call)
        if answer.status == 200:
            self._notify_of_answer(call, answer)
        self.passing.wait()
        return answer

    def _notify_of_answer(self, call: Call, answer: Message) -> None:
        if call.action == "SendMessage" and not call.operation:
            self._notify_of("replied", call)
        if call.action == "ReceiveMessage" and call.operation and b'"Messages"' in answer.body:
            self._notify_of("received", call)

    def _notify_of(self, step: str, call: Call) -> None:
        self._notify(StepEvent(step, call.line, operation=call.operation, queue=call.queue))


class _Server:
    """The server's end of a line. Moto takes one request on a connection, as its header says."""

    def __init__(self, line: Line, port: int) -> None:
        self._line = line
        self._port = port
        self._used = False

    def exchange(self, call: Call) -> Message:
        """Ask the server and return its answer; raises OSError when either side has gone."""
        if self._used:
            self._line.reconnect(self._port)
        self._used = True
        self._line.server.sendall(call.message.spell())
        _wait_for_answer(self._line)
        with self._line.server.makefile("rb") as answers:
            answer = read_message(answers)
        if answer is None:
            raise ConnectionResetError("the server has ended the connection")
        return answer


def _apply(rule: Rule, forward: Forward, call: Call) -> Message:
    return rule(call, forward)


def _call(request: Message, line: Line) -> Call:
    action = request.header("X-Amz-Target").rpartition(".")[2]
    fields = json.loads(request.body) if action else {}
    return Call(action, fields, request, line)


def _wait_for_answer(line: Line) -> None:
    """Wait for the server; a client that goes away meanwhile must get no message any more."""
    waited = [line.client, line.server]
    while line.server not in (ready := select.select(waited, [], [])[0]):
        if line.client in ready:
            if not line.client.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError("the client has gone")
            waited = [line.server]

"""What SQS may do at any time, as rules for the AWS proxy.

Each maker takes `when`, which chooses the calls; the rule leaves the others alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tools.chaos.proxies.aws import Call, Forward, Rule
from tools.chaos.proxies.http import Message

When = Callable[[Call], bool]

_DELETES = ("DeleteMessage", "DeleteMessageBatch")


def always(_call: Call) -> bool:
    """Choose every call."""
    return True


def times(count: int, when: When = always) -> When:
    """Choose only the first `count` calls that `when` would choose."""
    left = [count]

    def choose(call: Call) -> bool:
        if left[0] <= 0 or not when(call):
            return False
        left[0] -= 1
        return True

    return choose


def _on_send(when: When, rule: Rule) -> Rule:
    """Apply the rule to chosen SendMessage calls."""

    def chosen(call: Call, forward: Forward) -> Message:
        applies = call.action == "SendMessage" and when(call)
        return rule(call, forward) if applies else forward(call)

    return chosen


def duplicate(when: When = always) -> Rule:
    """Deliver what is sent twice: two messages with one content."""

    def rule(call: Call, forward: Forward) -> Message:
        forward(call)
        return forward(call)

    return _on_send(when, rule)


def redeliver(when: When = always) -> Rule:
    """Show a message that was received for the first time to other receivers at once.

    Two then work on the same message, which is what "at least once" allows.
    """

    def rule(call: Call, forward: Forward) -> Message:
        answer = forward(call)
        if call.action == "ReceiveMessage" and answer.status == 200 and when(call):
            for message in json.loads(answer.body).get("Messages", []):
                if message.get("Attributes", {}).get("ApproximateReceiveCount") == "1":
                    forward(_shown(call, message["ReceiptHandle"]))
        return answer

    return rule


def late(seconds: int, when: When = always) -> Rule:
    """Show a sent message only after a while; others overtake it."""
    return _on_send(when, lambda call, forward: forward(call.having(DelaySeconds=seconds)))


def failed_send(when: When = always) -> Rule:
    """Answer 500 to a send; nothing was sent."""
    return _on_send(when, lambda _call, _forward: failure())


def ambiguous_send(when: When = always, *, cut: bool = False) -> Rule:
    """Send, but answer 500 or, with `cut`, end the connection instead of answering."""

    def rule(call: Call, forward: Forward) -> Message:
        forward(call)
        if cut:
            raise ConnectionAbortedError
        return failure()

    return _on_send(when, rule)


def lost_delete(when: When = always) -> Rule:
    """Say that a message is deleted, and keep it: it comes back when it is seen again."""

    def rule(call: Call, forward: Forward) -> Message:
        if call.action in _DELETES and when(call):
            return _answer(200, "OK", _deleted(call))
        return forward(call)

    return rule


def failure() -> Message:
    """Answer as SQS does when it fails itself."""
    content = {"__type": "com.amazonaws.sqs#InternalFailure", "message": "It failed."}
    return _answer(500, "Internal Server Error", content)


def _shown(call: Call, receipt: str) -> Call:
    return call.instead(
        "ChangeMessageVisibility",
        QueueUrl=call.fields["QueueUrl"],
        ReceiptHandle=receipt,
        VisibilityTimeout=0,
    )


def _deleted(call: Call) -> dict[str, object]:
    if call.action == "DeleteMessage":
        return {}
    entries = call.fields["Entries"]
    return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


def _answer(status: int, reason: str, content: object) -> Message:
    headers = (("Content-Type", "application/x-amz-json-1.0"),)
    return Message(f"HTTP/1.1 {status} {reason}", headers, json.dumps(content).encode())

"""What SQS may do at any time, as rules for the AWS proxy.

Each maker takes `when`, which chooses the calls; the rule leaves the others alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tools.chaos.proxies.aws import Answer, Call, Forward, Rule

When = Callable[[Call], bool]

_LATE_SECONDS = 2


def always(_call: Call) -> bool:
    """Choose every call."""
    return True


def times(count: int) -> When:
    """Choose only the first `count` calls."""
    left = [count]

    def choose(_call: Call) -> bool:
        left[0] -= 1
        return left[0] >= 0

    return choose


def _on(*actions: str) -> Callable[[Rule], Callable[..., Rule]]:
    """Turn what is done to a call of these actions into the maker of a rule."""

    def maker(change: Rule) -> Callable[..., Rule]:
        def make(when: When = always) -> Rule:
            def rule(call: Call, forward: Forward) -> Answer:
                applies = call.action in actions and when(call)
                return change(call, forward) if applies else forward(call)

            return rule

        return make

    return maker


@_on("SendMessage")
def duplicate(call: Call, forward: Forward) -> Answer:
    """Deliver what is sent twice: two messages with one content."""
    forward(call)
    return forward(call)


@_on("ReceiveMessage")
def redeliver(call: Call, forward: Forward) -> Answer:
    """Show a message that was received for the first time to other receivers at once.

    Two then work on the same message, which is what "at least once" allows.
    """
    answer = forward(call)
    messages = json.loads(answer.body).get("Messages", []) if answer.status == 200 else []
    for message in messages:
        if message.get("Attributes", {}).get("ApproximateReceiveCount") == "1":
            forward(
                call.instead(
                    "ChangeMessageVisibility",
                    QueueUrl=call.fields["QueueUrl"],
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0,
                )
            )
    return answer


@_on("SendMessage")
def late(call: Call, forward: Forward) -> Answer:
    """Show a sent message only after a while; others overtake it."""
    return forward(call.having(DelaySeconds=_LATE_SECONDS))


@_on("SendMessage")
def failed_send(_call: Call, _forward: Forward) -> Answer:
    """Answer 500 to a send; nothing was sent."""
    return _failure()


@_on("SendMessage")
def ambiguous_send(call: Call, forward: Forward) -> Answer:
    """Send, but answer 500."""
    forward(call)
    return _failure()


@_on("SendMessage")
def cut_off_send(call: Call, forward: Forward) -> Answer:
    """Send, but end the connection instead of answering."""
    forward(call)
    raise ConnectionAbortedError


@_on("DeleteMessage", "DeleteMessageBatch")
def lost_delete(call: Call, _forward: Forward) -> Answer:
    """Say that a message is deleted, and keep it: it comes back when it is seen again."""
    if call.action == "DeleteMessage":
        return _answer(200, {})
    done = [{"Id": entry["Id"]} for entry in call.fields["Entries"]]
    return _answer(200, {"Successful": done, "Failed": []})


def _failure() -> Answer:
    """Answer as SQS does when it fails itself."""
    return _answer(500, {"__type": "com.amazonaws.sqs#InternalFailure", "message": "It failed."})


def _answer(status: int, content: object) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return Answer(status, json.dumps(content).encode(), headers)

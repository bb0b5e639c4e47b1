"""Permissions are listed, denied one by one, and found unused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.deploy_check.privileges import (
    Decision,
    Decisions,
    Permission,
    Roles,
    too_wide,
    unused,
)

QUEUES = ["arn:aws:sqs:::bill-r-*", "arn:aws:sqs:::bill-login-*"]
ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Replies", "Effect": "Allow", "Action": ACTIONS, "Resource": QUEUES},
        {"Sid": "ReadRequests", "Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "q"},
        {"Sid": "ButNot", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
    ],
}


class FakeIam:
    """Holds the inline policies of one role."""

    def __init__(self) -> None:
        self.policies: dict[str, Any] = {"function": POLICY}

    def list_role_policies(self, **_: str) -> dict[str, Any]:
        return {"PolicyNames": list(self.policies)}

    # boto3 gives these arguments their names, which begin with capitals.
    def get_role_policy(self, *, PolicyName: str, **_: str) -> dict[str, Any]:  # noqa: N803
        return {"PolicyDocument": self.policies[PolicyName]}

    def put_role_policy(self, *, PolicyName: str, PolicyDocument: str, **_: str) -> None:  # noqa: N803
        self.policies[PolicyName] = json.loads(PolicyDocument)

    def delete_role_policy(self, *, PolicyName: str, **_: str) -> None:  # noqa: N803
        del self.policies[PolicyName]


def permission(action: str = "sqs:DeleteMessage", resource: str = QUEUES[0]) -> Permission:
    return Permission("role", "Replies", action, resource)


def used(resource: str, role: str = "role", *, allowed: bool = True) -> Decision:
    return Decision(role, "sqs:DeleteMessage", f"arn:aws:sqs:::{resource}", allowed=allowed)


def test_each_allowed_action_on_each_resource_is_a_permission() -> None:
    found = {(one.action, one.resource) for one in Roles(FakeIam()).permissions("role")}
    pairs = {(action, queue) for action in ACTIONS for queue in QUEUES}
    assert found == {*pairs, ("sqs:ReceiveMessage", "q")}


def test_a_permission_is_denied_until_the_block_ends_even_by_an_error() -> None:
    iam = FakeIam()

    def fail_without_it() -> None:
        with Roles(iam).without(permission()):
            [denied] = iam.policies["deploy-check"]["Statement"]
            assert (denied["Effect"], denied["Action"]) == ("Deny", "sqs:DeleteMessage")
            assert denied["Resource"] == QUEUES[0]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_without_it()
    assert iam.policies == {"function": POLICY}


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [used("bill-r-1", allowed=False)],
        [used("bill-r-1", role="other")],
        [used("bill-login-1")],
    ],
    ids=["no call", "rejected", "another role", "another queue"],
)
def test_a_permission_is_unused_unless_it_allowed_a_call(calls: list[Decision]) -> None:
    assert unused([permission()], calls) == [permission()]
    assert unused([permission()], [*calls, used("bill-r-1")]) == []


def test_a_permission_is_unused_if_another_allows_the_same_calls() -> None:
    wide = permission(resource="arn:aws:sqs:::bill-*")
    assert unused([permission(), wide], [used("bill-r-1")]) == [permission(), wide]
    calls = [used("bill-r-1"), used("bill-payments")]
    assert unused([permission(), wide], calls) == [permission()]


WIDE = "arn:aws:sqs:::bill-*"


@pytest.mark.parametrize(
    ("statement", "action", "resource", "more"),
    [
        ("Replies", "sqs:DeleteMessage", QUEUES[0], None),
        ("Replies", "sqs:DeleteMessage", WIDE, "arn:aws:sqs:::bill-payments"),
        ("Replies", "sqs:DeleteMessage", "*", "anything"),
        ("ReadRequests", "sqs:*", QUEUES[0], "anything"),
        ("ReadRequests", "sqs:ReceiveMessage", "*", "anything"),
        ("LookForOrphans", "sqs:ListQueues", "*", None),
        ("Trace", "xray:PutTraceSegments", "*", None),
    ],
)
def test_a_permission_that_allows_more_than_its_role_used_is_named(
    statement: str, action: str, resource: str, more: str | None
) -> None:
    """Whatever somebody else did: here to a queue for requests."""
    calls = [used(f"bill-r-{'a' * 32}"), used(f"bill-r-{'b' * 32}", role="other")]
    calls.append(used("bill-payments", role="other"))
    found = too_wide([Permission("role", statement, action, resource)], calls)
    assert [more in one for one in found if more] == ([True] if more else [])
    assert bool(found) == bool(more)


def test_permissions_that_only_aws_uses_are_not_reported() -> None:
    by_aws = Permission("role", "ReadRequests", "sqs:ReceiveMessage", "q")
    assert unused([by_aws], []) == []
    assert by_aws.reason_unseen


def test_decisions_are_read_from_a_position_and_only_whole(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    line = json.dumps({"role": "r", "action": "a", "resource": "x", "allowed": True}) + "\n"
    file.write_text(line)
    decisions = Decisions(file)
    position = decisions.position()
    file.write_text(line + line.replace("true", "false") + line[:10])
    assert [one.allowed for one in decisions.since(position)] == [False]
    assert len(decisions.since()) == 2

"""Permissions are listed, taken away and restored one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.deploy_check.privileges import Decision, Decisions, Permission, Roles, unused

QUEUES = ["arn:aws:sqs:::bill-r-*", "arn:aws:sqs:::bill-login-*"]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Replies",
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
            "Resource": QUEUES,
        },
        {"Sid": "ReadRequests", "Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "q"},
        {"Sid": "ButNot", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
    ],
}


class FakeIam:
    """Holds one inline policy of one role."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = POLICY

    def list_role_policies(self, **_: str) -> dict[str, Any]:
        return {"PolicyNames": ["function"]}

    def get_role_policy(self, **_: str) -> dict[str, Any]:
        return {"PolicyDocument": self.document}

    def put_role_policy(self, **named: str) -> None:
        self.document = json.loads(named["PolicyDocument"])


def allowed(iam: FakeIam) -> set[tuple[str, str]]:
    return {(one.action, one.resource) for one in Roles(iam).permissions("role")}


def permission(action: str = "sqs:DeleteMessage", resource: str = QUEUES[0]) -> Permission:
    return Permission("role", "Replies", action, resource)


def test_each_allowed_action_on_each_resource_is_a_permission() -> None:
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage")
    pairs = {(action, queue) for action in actions for queue in QUEUES}
    assert allowed(FakeIam()) == {*pairs, ("sqs:ReceiveMessage", "q")}


def test_one_permission_is_taken_away_and_restored() -> None:
    iam = FakeIam()
    before = allowed(iam)
    with Roles(iam).without(permission()):
        assert allowed(iam) == before - {("sqs:DeleteMessage", QUEUES[0])}
        assert POLICY["Statement"][2] in iam.document["Statement"]
    assert iam.document == POLICY


def test_a_permission_is_restored_after_an_error() -> None:
    iam = FakeIam()
    try:
        with Roles(iam).without(permission()):
            raise RuntimeError
    except RuntimeError:
        assert iam.document == POLICY


def test_a_statement_with_one_permission_is_removed_with_it() -> None:
    iam = FakeIam()
    with Roles(iam).without(Permission("role", "ReadRequests", "sqs:ReceiveMessage", "q")):
        assert all(one["Sid"] != "ReadRequests" for one in iam.document["Statement"])


def test_a_permission_is_unused_unless_it_allowed_a_call() -> None:
    calls = [
        Decision("role", "sqs:DeleteMessage", "arn:aws:sqs:::bill-r-1", allowed=True),
        Decision("role", "sqs:DeleteMessage", "arn:aws:sqs:::bill-login-1", allowed=False),
        Decision("other", "sqs:ReceiveMessage", "arn:aws:sqs:::bill-r-1", allowed=True),
    ]
    held = [permission(), permission(resource=QUEUES[1]), permission("sqs:ReceiveMessage")]
    assert unused(held, calls) == held[1:]


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

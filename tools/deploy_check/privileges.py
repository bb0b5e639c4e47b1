"""Permissions of roles, and which of them the emulator saw used.

The emulator logs what each role was allowed and rejected. A permission is used if it alone allowed
a call. Each is denied in turn, and whoever acts in the role must be rejected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

# What AWS does by itself in a function's role. Emulators do it without asking whether the role may,
# so it can't be seen here. The key is the statement, the value why it is needed.
BY_AWS: Mapping[str, str] = {
    "WriteItsLog": "Lambda writes the function's log",
    "DecryptItsSecrets": "Secrets Manager decrypts with the customer's key",
    "Trace": "Lambda sends the function's traces",
    "BeTiedToTheNetwork": "Lambda ties the function to the VPC",
    "ReadRequests": "the event source mapping reads the queue",
    "LogInToTheCache": "ElastiCache checks the token that the function signed",
}
# Asked for by AWS together with another action, which the emulator takes for both.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
BY_AWS_ACTIONS: Mapping[str, str] = {"sqs:TagQueue": "CreateQueue with tags asks for it"}


# AWS knows no resources for these.
WITHOUT_RESOURCES = ("ec2:", "sqs:ListQueues", "xray:")


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one resource (pattern) that a statement of a role allows."""

    role: str
    statement: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.role}: {self.action} on {self.resource}"

    @property
    def reason_unseen(self) -> str | None:
        """Why an emulator can't show that it is needed; None when it can."""
        return BY_AWS.get(self.statement) or BY_AWS_ACTIONS.get(self.action)


@dataclass(frozen=True)
class Decision:
    """What the emulator decided about one call in a role."""

    role: str
    action: str
    resource: str
    allowed: bool

    def uses(self, permission: Permission) -> bool:
        """Tell whether the permission is for this call."""
        return (
            self.role == permission.role
            and self.action.lower() == permission.action.lower()
            and fnmatchcase(self.resource, permission.resource)
        )


class Decisions:
    """The emulator's log of decisions."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def position(self) -> int:
        """Return where the log ends now."""
        return self._file.stat().st_size

    def since(self, position: int = 0) -> list[Decision]:
        """Return later decisions, without a last line that is still being written."""
        with self._file.open("rb") as file:
            file.seek(position)
            whole = file.read().rpartition(b"\n")[0]
        return [Decision(**json.loads(line)) for line in whole.splitlines()]


class Roles:
    """The inline policies of the deployment's roles."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def permissions(self, role: str) -> list[Permission]:
        """Return what the role's policies allow, one by one."""
        return sorted(
            Permission(role, statement.get("Sid", "?"), action, resource)
            for name in self._iam.list_role_policies(RoleName=role)["PolicyNames"]
            for statement in self._statements(role, name)
            if statement["Effect"] == "Allow"
            for action in _many(statement["Action"])
            for resource in _many(statement["Resource"])
        )

    def _statements(self, role: str, name: str) -> list[dict[str, Any]]:
        found = self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return list(found["Statement"])

    @contextmanager
    def without(self, permission: Permission) -> Iterator[None]:
        """Deny a role what the permission allows while the block runs."""
        denied = {"Effect": "Deny", "Action": permission.action, "Resource": permission.resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        policy = {"RoleName": permission.role, "PolicyName": "deploy-check"}
        self._iam.put_role_policy(**policy, PolicyDocument=document)
        try:
            yield
        finally:
            self._iam.delete_role_policy(**policy)


def unused(permissions: Iterable[Permission], decisions: Iterable[Decision]) -> list[Permission]:
    """Return the permissions without which every call would have been allowed all the same.

    Of those whose use can be seen: no call used it, or others allow what it allows.
    """
    seen = [permission for permission in permissions if permission.reason_unseen is None]
    used = set()
    for decision in decisions:
        allowing = [permission for permission in seen if decision.uses(permission)]
        if decision.allowed and len(allowing) == 1:
            used.update(allowing)
    return [permission for permission in seen if permission not in used]


def too_wide(permissions: Iterable[Permission], decisions: Iterable[Decision]) -> list[str]:
    """Return the permissions that allow more than they were used for, and what more.

    That is any action or resource, where AWS knows them; or a kind of resource that somebody asked
    for, and this role never did.
    """
    seen = [one for one in decisions if one.allowed]
    found = []
    for permission in permissions:
        more = _kinds(permission, seen) - _kinds(
            permission, [one for one in seen if one.uses(permission)]
        )
        if "*" in (permission.action, permission.resource) or permission.action.endswith("*"):
            more.add("anything")
        if more and not permission.action.startswith(WITHOUT_RESOURCES):
            found.append(f"{permission}: also {', '.join(sorted(more))}")
    return found


def _kinds(permission: Permission, calls: Iterable[Decision]) -> set[str]:
    """Return which kinds of resources of these calls the permission's pattern fits.

    What differs between resources of one kind is left out: users and queue names.
    """
    if permission.reason_unseen:
        return set()
    found = {re.sub("[0-9a-f]{32}", "0", one.resource) for one in calls}
    return {kind for kind in found if fnmatchcase(kind, permission.resource)}


def _many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

"""Permissions of roles, and which of them the emulator saw used.

The emulator logs what each role was allowed and rejected. A permission that no call used is unused;
one that was used is taken away in turn, and whoever acts in the role must be rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Json = dict[str, Any]

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
            for _, document in self._policies(role)
            for statement in document["Statement"]
            if statement["Effect"] == "Allow"
            for action in _many(statement["Action"])
            for resource in _many(statement["Resource"])
        )

    @contextmanager
    def without(self, permission: Permission) -> Iterator[None]:
        """Take a permission away while the block runs."""
        before = list(self._policies(permission.role))
        for name, document in before:
            self._put(permission.role, name, _reduced(document, permission))
        try:
            yield
        finally:
            for name, document in before:
                self._put(permission.role, name, document)

    def _policies(self, role: str) -> Iterator[tuple[str, Json]]:
        for name in self._iam.list_role_policies(RoleName=role)["PolicyNames"]:
            found = self._iam.get_role_policy(RoleName=role, PolicyName=name)
            yield name, found["PolicyDocument"]

    def _put(self, role: str, name: str, document: Json) -> None:
        self._iam.put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document)
        )


def unused(permissions: Iterable[Permission], decisions: Iterable[Decision]) -> list[Permission]:
    """Return the permissions that no call used, of those whose use can be seen."""
    allowed = [decision for decision in decisions if decision.allowed]
    return [
        permission
        for permission in permissions
        if permission.reason_unseen is None and not any(one.uses(permission) for one in allowed)
    ]


def _reduced(document: Json, permission: Permission) -> Json:
    """Return the policy without the permission; everything else stays allowed."""
    statements: list[Json] = []
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow" and statement.get("Sid") == permission.statement:
            statements += _split(statement, permission)
        else:
            statements.append(statement)
    return {**document, "Statement": statements}


def _split(statement: Json, permission: Permission) -> Iterator[Json]:
    """Split a statement into its other actions, and this action on its other resources."""
    actions = [one for one in _many(statement["Action"]) if one != permission.action]
    resources = [one for one in _many(statement["Resource"]) if one != permission.resource]
    if actions:
        yield {**statement, "Action": actions}
    if resources:
        sid = f"{statement['Sid']}Elsewhere"
        yield {**statement, "Sid": sid, "Action": permission.action, "Resource": resources}


def _many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

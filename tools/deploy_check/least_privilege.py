"""Denies each permission in turn and requires that its role is rejected without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import httpx

from tools.deploy_check.errors import DeployCheckError
from tools.deploy_check.functions import Functions
from tools.deploy_check.journey import Resident, add_resident, import_bills
from tools.deploy_check.privileges import Decisions, Permission, Roles
from tools.deploy_check.requests import ReplyQueues, Requests, body_of
from tools.local.service import service
from tools.operator_client import OperatorError

# Functions that work on without the permission: the cache can wait.
_WORK_WITHOUT = {
    (name, "cache") for name, function in service().functions.items() if function.uses_cache
}
# The reply queues that need a permission; any other is needed for a new one.
QUEUES = {
    "sqs:GetQueueUrl": "differs",
    "sqs:SetQueueAttributes": "differs",
    "sqs:ChangeMessageVisibility": "deleted",
}
_AT_ONCE = 4
_READ_SECRET = "secretsmanager:GetSecretValue"  # noqa: S105 - an action
_DISABLE_LOGIN = ("cognito-idp:AdminDisableUser", "cognito-idp:AdminUserGlobalSignOut")


@dataclass(frozen=True)
class Finding:
    """What happened to a function, or the gateway, without one permission."""

    actor: str
    permission: Permission
    rejected: bool
    worked: bool

    @property
    def is_right(self) -> bool:
        """Tell whether the role needs the permission."""
        resource, action = self.permission.resource, self.permission.action
        what = "cache" if resource.rpartition("-")[0].endswith("/cache") else action
        return self.rejected and (not self.worked or (self.actor, what) in _WORK_WITHOUT)

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        if not self.rejected:
            return "not needed"
        return "rejected, but worked" if self.worked else "rejected"


@dataclass(frozen=True)
class RoleActions:
    """The functions and the gateway, each doing its part in its role."""

    functions: Functions
    requests: Requests
    replies: ReplyQueues
    resident: Resident
    url: str
    id_token: str

    def work(self, name: str, permission: Permission) -> bool:
        """Have an actor do what needs the permission; tells whether it worked."""
        if name == "gateway":
            return self._gateway(permission)
        if permission.action == _READ_SECRET:
            self.functions.restart(name)
        if name in service().queues:
            return self.requests.is_answered(name, queue=QUEUES.get(permission.action, "new"))
        try:
            return self._operate(name, permission)
        except (DeployCheckError, OperatorError):
            return False

    def _operate(self, name: str, permission: Permission) -> bool:
        """Have a function do an operation that uses the permission."""
        operator, resident = self.functions.operator, self.resident
        if name == "sweep":
            self.replies.create_expired()
            report = self.functions.sweep()
            return not report["failed"]
        if name == "admin":
            operator.add_apartment("Vulytsia Sadova 3")
        elif name == "import_bills":
            import_bills(operator, resident.apartment_id, [100])
        elif name != "admin_users":
            operator.do(name, {})
        elif permission.action in _DISABLE_LOGIN:
            operator.do("disable_login", {"username": resident.username})
        else:
            add_resident(operator)
        return True

    def _gateway(self, permission: Permission) -> bool:
        """Send what needs the permission; the gateway answers what it can't do with a 502."""
        operation, queue_name, headers = _operation_of(permission), uuid4(), {}
        url = f"{self.url}/auth"
        if operation != "auth":
            url = f"{self.url}/apartments/{self.resident.apartment_id}/{operation}"
            headers = {"Authorization": self.id_token}
        with httpx.Client(timeout=35, headers=headers) as http:
            if permission.action == "sqs:SendMessage":
                response = http.post(url, json=body_of(operation, self.resident, queue_name))
            elif permission.action == "sqs:ReceiveMessage":
                response = http.get(f"{url}/{queue_name}", params={"wait_seconds": 0})
            else:
                response = http.delete(f"{url}/{queue_name}", params={"receipt": "none"})
        return response.status_code < 500


def _operation_of(permission: Permission) -> str:
    """Return the operation by which the gateway uses a permission."""
    if permission.action == "sqs:SendMessage":
        return permission.resource.rpartition("-")[2]
    return "auth" if "-login-" in permission.resource else "utils"


@dataclass(frozen=True)
class PermissionProbe:
    """Denies permissions and has their role work without.

    `names` are the actors by the names of their roles.
    """

    roles: Roles
    decisions: Decisions
    actors: RoleActions
    names: Mapping[str, str]

    def findings(self, permissions: Iterable[Permission]) -> list[Finding]:
        """Try all permissions, several roles at once.

        The sweeper comes last: it would delete the reply queues of the others.
        """
        by_actor: dict[str, list[Permission]] = {}
        for permission in permissions:
            by_actor.setdefault(self.names[permission.role], []).append(permission)
        last = by_actor.pop("sweep", [])
        # Most of the time they wait for functions that start cold.
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
            found = list(threads.map(self._of_role, by_actor.values()))
        return [finding for one in (*found, self._of_role(last)) for finding in one]

    def _of_role(self, permissions: Iterable[Permission]) -> list[Finding]:
        return [self._without(permission) for permission in permissions]

    def _without(self, permission: Permission) -> Finding:
        actor, position = self.names[permission.role], self.decisions.position()
        with self.roles.without(permission):
            worked = self.actors.work(actor, permission)
        decisions = self.decisions.since(position)
        rejected = any(one.uses(permission) and not one.allowed for one in decisions)
        return Finding(actor, permission, rejected=rejected, worked=worked)

"""Takes each permission away in turn and sees who is stopped by that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from billing_app.admin.operations import OPERATIONS, function_event
from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.operator_client import OperatorLedger, Resident
from tools.deploy_check.privileges import Decisions, Permission, Roles
from tools.deploy_check.reply_queues import ReplyQueues
from tools.deploy_check.requests import Requests, bodies

# Does a role's part of the journey; tells whether it came to its end.
Exercise = Callable[[Permission], bool]
_QUEUE_FUNCTIONS = ("auth", "utils", "histories", "payments")
_AT_ONCE = 4
# Operations that use the permissions of their function, but for those of disabling.
_TRIED = {"admin": "add_apartment", "admin_users": "add_resident"}
_DISABLING = ("cognito-idp:AdminDisableUser", "cognito-idp:AdminUserGlobalSignOut")
_SECRET = "secretsmanager:GetSecretValue"  # noqa: S105 - an action


@dataclass(frozen=True)
class Finding:
    """What happened without one permission."""

    permission: Permission
    rejected: bool
    went_on: bool

    @property
    def verdict(self) -> str:
        """Say it in a word."""
        if not self.rejected:
            return "not needed"
        return "rejected, and went on without" if self.went_on else "rejected"


@dataclass(frozen=True)
class Actors:
    """Everybody who acts in a role."""

    cloud: Cloud
    ledger: OperatorLedger
    requests: Requests
    replies: ReplyQueues
    resident: Resident
    url: str
    id_token: str
    function_names: Mapping[str, str]

    def exercise(self, name: str) -> Exercise:
        """Return the part of the journey of a function, or of the gateway."""
        if name == "gateway":
            return self._gateway
        if name in _QUEUE_FUNCTIONS:
            return lambda permission: self._answer(name, permission)
        return lambda permission: self._operate(name, permission)

    def _answer(self, name: str, permission: Permission) -> bool:
        self._start_anew(name, permission)
        # A bill that does not exist is rejected, and a rejection is an answer, too.
        return self.requests.is_answered(name, bodies(self.resident, str(uuid4()))[name])

    def _operate(self, name: str, permission: Permission) -> bool:
        self._start_anew(name, permission)
        try:
            answer = self._ask(name, permission)
        except RehearsalError:
            return False
        return answer["status"] == "done" and not answer.get("failed")

    def _ask(self, name: str, permission: Permission) -> Any:
        if name == "sweep":
            self.replies.make_some(self.requests, self.resident)
            return self.ledger.sweep()
        return self.ledger.invoke(name, self._event(name, permission))

    def _event(self, name: str, permission: Permission) -> Mapping[str, Any]:
        """Return an event whose operation uses the permission."""
        if name == "import_bills":
            return self.ledger.bills_event(self.resident, [100])
        operation = "disable_login" if permission.action in _DISABLING else _TRIED.get(name)
        if operation is None:
            return {}
        # Each trial needs a username that nobody has, but the one that is disabled.
        username = self.resident.username if operation == "disable_login" else uuid4().hex
        given = {**OPERATIONS[operation].example, **_PASSWORD, "username": username}
        fields = OPERATIONS[operation].schema.fields
        return function_event(operation, {key: given[key] for key in given if key in fields})[1]

    def _gateway(self, permission: Permission) -> bool:
        """Send what needs the permission; whatever the gateway can't do it answers with a 502."""
        operation = _operation_of(permission)
        path = "/auth" if operation == "auth" else f"/apartments/{self.resident.apartment_id}/utils"
        if permission.action == "sqs:SendMessage" and operation != "auth":
            path = f"/apartments/{self.resident.apartment_id}/{operation}"
        headers = {} if operation == "auth" else {"Authorization": self.id_token}
        with httpx.Client(timeout=35, headers=headers) as http:
            return self._send(http, permission, operation, f"{self.url}{path}").status_code < 500

    def _send(
        self, http: httpx.Client, permission: Permission, operation: str, url: str
    ) -> httpx.Response:
        queue_name = str(uuid4())
        if permission.action == "sqs:SendMessage":
            body = bodies(self.resident, str(uuid4()))[operation]
            return http.post(url, json={**body, "queue_name": queue_name})
        if permission.action == "sqs:ReceiveMessage":
            return http.get(f"{url}/{queue_name}", params={"wait_seconds": 0})
        return http.delete(f"{url}/{queue_name}", params={"receipt": "none"})

    def _start_anew(self, name: str, permission: Permission) -> None:
        """Have the function start cold where it would remember what it has read."""
        if permission.action != _SECRET:
            return
        functions, function = self.cloud.client("lambda"), self.function_names[name]
        timeout = functions.get_function_configuration(FunctionName=function)["Timeout"]
        # Any change of the configuration ends the warm copies, also one that changes nothing.
        functions.update_function_configuration(FunctionName=function, Timeout=timeout)
        functions.get_waiter("function_updated_v2").wait(
            FunctionName=function, WaiterConfig={"Delay": 1}
        )


_PASSWORD = {"password": "Example-Passw0rd-1", "permanent": True}


def _operation_of(permission: Permission) -> str:
    """Return the operation by which the gateway uses a permission."""
    if permission.action == "sqs:SendMessage":
        return permission.resource.rpartition("-")[2]
    return "auth" if "-login-" in permission.resource else "utils"


@dataclass(frozen=True)
class Trial:
    """Takes permissions away, has their role act, and gives them back."""

    roles: Roles
    decisions: Decisions
    exercise: Callable[[Permission], Exercise]
    say: Callable[[str], None]

    def findings(self, permissions: Iterable[Permission], *, alone: str) -> list[Finding]:
        """Try all permissions: several roles at once, and the role `alone` after the others.

        What that one does would get into the way of the others' replies.
        """
        by_role: dict[str, list[Permission]] = {}
        for permission in permissions:
            by_role.setdefault(permission.role, []).append(permission)
        last = by_role.pop(alone, [])
        # Most of the time they wait for functions that start anew.
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
            found = list(threads.map(self._of_role, by_role.values()))
        return [finding for one in (*found, self._of_role(last)) for finding in one]

    def _of_role(self, permissions: Iterable[Permission]) -> list[Finding]:
        return [self._without(permission) for permission in permissions]

    def _without(self, permission: Permission) -> Finding:
        self.say(f"{permission.role} without {permission.action}")
        mark = self.decisions.mark()
        with self.roles.without(permission):
            went_on = self.exercise(permission)(permission)
        decisions = self.decisions.since(mark)
        rejected = any(one.is_about(permission) and not one.allowed for one in decisions)
        return Finding(permission, rejected=rejected, went_on=went_on)

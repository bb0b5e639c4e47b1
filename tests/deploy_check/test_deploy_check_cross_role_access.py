"""Roles that can access another function's resources are found."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest
from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.cross_role_access import is_rejected, require_no_access
from tools.deploy_check.errors import DeployCheckError

LOGINS, REPLIES = "login-a", "r-a-b"
QUEUES = ["utils", "payments", "payments-dlq", LOGINS, REPLIES]
SECRETS = ["arn:reader", "arn:writer"]
OWN = {"utils": "arn:reader", "payments": "arn:writer"}
# What each role does: reads and deletes in, and sends to.
ROLES = {
    "utils": (["utils"], [REPLIES]),
    "payments": (["payments"], [REPLIES]),
    "gateway": ([LOGINS, REPLIES], ["utils", "payments"]),
    "redrive": (["payments-dlq"], ["utils", "payments"]),
}


def rejection(code: str = "AccessDeniedException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Call")


class FakeCloud:
    """Two functions with a queue and a secret each, and more may be open to a role."""

    prefix = "bill"
    outputs: ClassVar = {
        "function_role_arns": {name: name for name in OWN},
        "function_names": {name: name for name in OWN},
        "gateway_role_arn": "gateway",
        "redrive_role_arn": "redrive",
    }

    def __init__(self, also_open: str = "", role: str = "") -> None:
        self._also_open, self._role = also_open, role

    def client(self, _: str) -> FakeCloud:
        return self

    def in_role(self, role_arn: str, _: str) -> FakeCloud:
        return FakeCloud(self._also_open, role=role_arn)

    def get_paginator(self, _: str) -> FakeCloud:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        urls = [f"https://sqs/1/bill-{name}" for name in QUEUES]
        return [{"QueueUrls": urls, "SecretList": [{"ARN": arn} for arn in SECRETS]}]

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Environment": {"Variables": {"DATABASE_SECRET_ID": OWN[FunctionName], "X": "y"}}}

    def receive_message(self, *, QueueUrl: str, **_: int) -> None:  # noqa: N803
        self._open("read", QueueUrl, ROLES[self._role][0])

    def delete_message(self, *, QueueUrl: str, **_: str) -> None:  # noqa: N803
        self._open("delete", QueueUrl, ROLES[self._role][0])

    def send_message(self, *, QueueUrl: str, **_: str) -> None:  # noqa: N803
        self._open("send", QueueUrl, ROLES[self._role][1])

    def get_secret_value(self, *, SecretId: str) -> None:  # noqa: N803
        self._open("read", SecretId, [OWN.get(self._role, "")])

    def _open(self, action: str, resource: str, own: list[str]) -> None:
        name = resource.removeprefix("https://sqs/1/bill-")
        if name not in own and f"{self._role} {action} {name}" != self._also_open:
            raise rejection()


def tried(also_open: str = "") -> int:
    return require_no_access(cast(Cloud, FakeCloud(also_open)))


def test_everything_that_is_not_a_roles_own_is_tried() -> None:
    queues = sum(2 * (5 - len(reads)) + 5 - len(sends) for reads, sends in ROLES.values())
    assert tried() == queues + 2 * (len(SECRETS) - 1) + 2 * len(SECRETS)


@pytest.mark.parametrize(
    "also_open",
    [
        *(f"utils {action} payments" for action in ("read", "send", "delete")),
        *("utils read arn:writer", f"utils read {REPLIES}", f"utils send {LOGINS}"),
        *("payments read payments-dlq", "gateway read utils", "gateway send payments-dlq"),
        *("redrive delete payments", f"redrive send {REPLIES}", "gateway read arn:writer"),
    ],
)
def test_what_a_role_can_do_elsewhere_is_named(also_open: str) -> None:
    role, action, resource = also_open.split()
    with pytest.raises(DeployCheckError, match=f"{role}: {action} .*{resource}"):
        tried(also_open)


def test_other_errors_do_not_count_as_rejections() -> None:
    def failing() -> None:
        raise rejection("ThrottlingException")

    assert not is_rejected(failing)

"""Roles that can access another function's resources are found."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest
from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.cross_role_access import is_rejected, require_no_access
from tools.deploy_check.errors import DeployCheckError

QUEUES = [f"https://sqs/1/bill-{name}" for name in ("utils", "payments", "payments-dlq", "r-a-b")]
SECRETS = ["arn:reader", "arn:writer"]
OWN = {"utils": "arn:reader", "payments": "arn:writer"}


def rejection(code: str = "AccessDeniedException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Call")


class FakeCloud:
    """Two functions with a queue and a secret each; more may be open to one of them."""

    prefix = "bill"
    outputs: ClassVar = {
        "function_role_arns": {name: name for name in OWN},
        "function_names": {name: name for name in OWN},
    }

    def __init__(self, *also_open: str, role: str = "") -> None:
        self._also_open, self._role = also_open, role

    def client(self, _: str) -> FakeCloud:
        return self

    def in_role(self, role_arn: str, _: str) -> FakeCloud:
        return FakeCloud(*self._also_open, role=role_arn)

    def get_paginator(self, _: str) -> FakeCloud:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"QueueUrls": QUEUES, "SecretList": [{"ARN": arn} for arn in SECRETS]}]

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Environment": {"Variables": {"DATABASE_SECRET_ID": OWN[FunctionName], "X": "y"}}}

    def receive_message(self, *, QueueUrl: str, **_: int) -> None:  # noqa: N803
        self._open(QueueUrl)

    def get_secret_value(self, *, SecretId: str) -> None:  # noqa: N803
        self._open(SecretId)

    def _open(self, resource: str) -> None:
        if resource not in (*self._also_open, OWN[self._role], f"https://sqs/1/bill-{self._role}"):
            raise rejection()


def tried(*also_open: str) -> int:
    return require_no_access(cast(Cloud, FakeCloud(*also_open)))


def test_every_resource_of_other_functions_is_tried() -> None:
    assert tried() == 2 * (len(QUEUES) + len(SECRETS) - 2)


@pytest.mark.parametrize("resource", [QUEUES[1], QUEUES[2], QUEUES[3], SECRETS[0]])
def test_an_accessible_resource_is_named(resource: str) -> None:
    with pytest.raises(DeployCheckError, match=resource):
        tried(resource)


def test_other_errors_do_not_count_as_rejections() -> None:
    def failing() -> None:
        raise rejection("ThrottlingException")

    assert not is_rejected(failing)

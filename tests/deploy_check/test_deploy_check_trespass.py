"""A door that opens to a role whose it is not is found."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tools.deploy_check.cloud import Cloud
from tools.deploy_check.errors import RehearsalError
from tools.deploy_check.trespass import Trespass, is_rejected

QUEUES = [f"https://sqs/1/bill-{name}" for name in ("utils", "payments", "payments-dlq", "r-a-b")]
SECRETS = ["arn:reader", "arn:writer"]
OWN = {"utils": "arn:reader", "payments": "arn:writer"}


def rejection(code: str = "AccessDeniedException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Call")


class Pages:
    """Answers a paginator with one page."""

    def __init__(self, page: dict[str, Any]) -> None:
        self._page = page

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [self._page]


class FakeCloud:
    """Two functions with a queue and a secret each; more may be open to one of them."""

    def __init__(self, *also_open: str) -> None:
        self._also_open = also_open
        self._role = ""

    def client(self, _: str) -> FakeCloud:
        return self

    def in_role(self, role_arn: str, _: str) -> FakeCloud:
        acting = FakeCloud(*self._also_open)
        acting._role = role_arn
        return acting

    def get_paginator(self, name: str) -> Pages:
        if name == "list_queues":
            return Pages({"QueueUrls": QUEUES})
        return Pages({"SecretList": [{"ARN": arn} for arn in SECRETS]})

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Environment": {"Variables": {"DATABASE_SECRET_ID": OWN[FunctionName], "X": "y"}}}

    def receive_message(self, *, QueueUrl: str, **_: int) -> None:  # noqa: N803
        self._open(QueueUrl)

    def get_secret_value(self, *, SecretId: str) -> None:  # noqa: N803
        self._open(SecretId)

    def _open(self, door: str) -> None:
        if door not in (*self._also_open, OWN[self._role], f"https://sqs/1/bill-{self._role}"):
            raise rejection()


def trespass(*also_open: str) -> Trespass:
    names = {name: name for name in OWN}
    cloud = cast(Cloud, FakeCloud(*also_open))
    return Trespass(cloud=cloud, prefix="bill", role_arns=names, function_names=names)


def test_every_door_but_ones_own_is_tried() -> None:
    assert trespass().try_all() == 2 * (len(QUEUES) + len(SECRETS) - 2)


@pytest.mark.parametrize("door", [QUEUES[1], QUEUES[2], QUEUES[3], SECRETS[0]])
def test_a_door_that_is_open_is_named(door: str) -> None:
    with pytest.raises(RehearsalError, match=door):
        trespass(door).try_all()


def test_another_error_than_a_rejection_is_no_rejection() -> None:
    def failing() -> None:
        raise rejection("ThrottlingException")

    assert not is_rejected(failing)

"""The check executes the document of the REST API, if the API does what it says."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tools.deploy_check.contract import applied_document
from tools.deploy_check.errors import DeployCheckError
from tools.local.gateway.document import parse, render

Resources = dict[str, dict[str, Any]]
DOCUMENT = json.dumps(
    parse(
        render(
            prefix="bill",
            region="eu-west-1",
            account_id="1" * 12,
            user_pool_id="eu-west-1_x",
            user_pool_client_id="c",
        )
    )
)


class FakeGateway:
    """Gives back a document and its integrations as API Gateway and moto do."""

    def __init__(self) -> None:
        self.methods: Resources = {
            path: {
                method.upper(): {"methodIntegration": entry["x-amazon-apigateway-integration"]}
                for method, entry in item.items()
                if method != "parameters"
            }
            for path, item in json.loads(DOCUMENT)["paths"].items()
        }

    def get_export(self, **_: Any) -> dict[str, Any]:
        return {"body": io.BytesIO(DOCUMENT.encode())}

    def get_paginator(self, _operation: str) -> FakeGateway:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        items = self.methods.items()
        return [{"items": [{"path": path, "resourceMethods": found} for path, found in items]}]


def applied(gateway: FakeGateway) -> str:
    return applied_document(gateway, {"rest_api_id": "x", "stage_name": "v1"})


def test_the_applied_document_is_returned() -> None:
    assert applied(FakeGateway()) == DOCUMENT


def lack(methods: Resources) -> None:
    del methods["/auth"]["POST"]


def add(methods: Resources) -> None:
    methods["/auth"]["PUT"] = methods["/auth"]["POST"]


def change_template(methods: Resources) -> None:
    methods["/auth"]["POST"]["methodIntegration"]["requestTemplates"] = {"application/json": "x"}


def change_uri(methods: Resources) -> None:
    methods["/auth"]["POST"]["methodIntegration"]["uri"] += "-dlq"


@pytest.mark.parametrize("change", [lack, add, change_template, change_uri])
def test_an_operation_that_differs_in_the_api_is_named(change: Callable[[Resources], None]) -> None:
    gateway = FakeGateway()
    change(gateway.methods)
    with pytest.raises(DeployCheckError, match="/auth"):
        applied(gateway)

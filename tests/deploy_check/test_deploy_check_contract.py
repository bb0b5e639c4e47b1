"""The check executes what the REST API would, whatever its document said."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tools.deploy_check.contract import applied_document
from tools.deploy_check.errors import DeployCheckError
from tools.local.gateway.document import parse, read, render


class FakeGateway:
    """Gives back a document and its integrations as API Gateway and moto do."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.resources = [_resource(path, item) for path, item in document["paths"].items()]

    def get_export(self, **_: Any) -> dict[str, Any]:
        return {"body": io.BytesIO(json.dumps(self._document).encode())}

    def get_paginator(self, _operation: str) -> FakeGateway:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"items": self.resources}]


def _resource(path: str, item: dict[str, Any]) -> dict[str, Any]:
    methods = {
        method.upper(): {"methodIntegration": _live(entry["x-amazon-apigateway-integration"])}
        for method, entry in item.items()
        if method != "parameters"
    }
    return {"path": path, "resourceMethods": methods}


def _live(integration: dict[str, Any]) -> dict[str, Any]:
    answers = {
        answer["statusCode"]: {**answer, "selectionPattern": pattern}
        for pattern, answer in integration["responses"].items()
    }
    kept = {key: value for key, value in integration.items() if key != "responses"}
    return {**kept, "integrationResponses": answers}


@pytest.fixture
def gateway() -> FakeGateway:
    text = render(
        prefix="bill",
        region="eu-west-1",
        account_id="1" * 12,
        user_pool_id="eu-west-1_x",
        user_pool_client_id="c",
    )
    return FakeGateway(dict(parse(text)))


def applied(gateway: FakeGateway) -> str:
    return applied_document(gateway, rest_api_id="x", stage_name="v1")


def test_the_applied_api_is_executed_like_the_contract(gateway: FakeGateway) -> None:
    contract = read(applied(gateway))
    assert len(contract.operations) == sum(len(one["resourceMethods"]) for one in gateway.resources)
    login = next(one for one in contract.operations if (one.method, one.path) == ("POST", "/auth"))
    assert "Action=SendMessage" in login.integration.templates["application/json"]


def test_a_template_that_was_changed_in_the_api_is_executed(gateway: FakeGateway) -> None:
    auth = next(one for one in gateway.resources if one["path"] == "/auth")
    live = auth["resourceMethods"]["POST"]["methodIntegration"]
    live["requestTemplates"] = {"application/json": "changed"}
    [login] = [
        one
        for one in read(applied(gateway)).operations
        if (one.method, one.path) == ("POST", "/auth")
    ]
    assert login.integration.templates["application/json"] == "changed"


def test_an_operation_that_the_api_lacks_is_reported(gateway: FakeGateway) -> None:
    gateway.resources = [one for one in gateway.resources if one["path"] != "/auth"]
    with pytest.raises(DeployCheckError, match="/auth"):
        applied(gateway)

"""The API definition as it was applied, read back from the REST API.

An export gives the whole document. The parts that run (integrations with their templates, and the
answers made of them) are taken from the API's resources instead, operation by operation, so that
what is driven is what API Gateway would execute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tools.deploy_check.errors import DeployCheckError

Json = dict[str, Any]
_INTEGRATION = "x-amazon-apigateway-integration"
_METHODS = ("get", "post", "put", "delete", "patch", "head", "options")


def applied_document(gateway: Any, *, rest_api_id: str, stage_name: str) -> str:
    """Return the document with every integration as the REST API has it.

    Raises:
        DeployCheckError: the API's resources differ from the document's operations.
    """
    exported = gateway.get_export(
        restApiId=rest_api_id,
        stageName=stage_name,
        exportType="oas30",
        parameters={"extensions": "apigateway"},
        accepts="application/json",
    )
    document: Json = json.loads(exported["body"].read())
    live = _integrations(gateway, rest_api_id)
    described = set(_operations(document))
    if described != set(live):
        raise DeployCheckError(f"The REST API differs from its document in {described ^ set(live)}")
    for path, method in described:
        document["paths"][path][method][_INTEGRATION] = live[path, method]
    return json.dumps(document)


def _operations(document: Json) -> Iterable[tuple[str, str]]:
    for path, item in document["paths"].items():
        yield from ((path, method) for method in item if method in _METHODS)


def _integrations(gateway: Any, rest_api_id: str) -> dict[tuple[str, str], Json]:
    found = {}
    pages = gateway.get_paginator("get_resources").paginate(
        restApiId=rest_api_id, embed=["methods"], PaginationConfig={"PageSize": 500}
    )
    for resource in (item for page in pages for item in page["items"]):
        for method, entry in resource.get("resourceMethods", {}).items():
            found[resource["path"], method.lower()] = _integration(entry["methodIntegration"])
    return found


def _integration(live: Json) -> Json:
    """Write an integration as the document does."""
    return {
        "type": live["type"].lower(),
        "httpMethod": live.get("httpMethod"),
        "uri": live.get("uri", ""),
        "credentials": live.get("credentials"),
        "passthroughBehavior": live.get("passthroughBehavior"),
        "timeoutInMillis": live.get("timeoutInMillis", 29_000),
        "requestParameters": live.get("requestParameters") or {},
        "requestTemplates": live.get("requestTemplates") or {},
        "responses": {
            answer.get("selectionPattern") or "default": _answer(answer)
            for answer in live.get("integrationResponses", {}).values()
        },
    }


def _answer(live: Json) -> Json:
    return {
        "statusCode": live["statusCode"],
        "responseParameters": live.get("responseParameters") or {},
        "responseTemplates": live.get("responseTemplates") or {},
    }

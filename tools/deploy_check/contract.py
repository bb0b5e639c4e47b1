"""The API definition as it was applied, read back from the REST API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.deploy_check.errors import DeployCheckError

_INTEGRATION = "x-amazon-apigateway-integration"


def applied_document(gateway: Any, outputs: Mapping[str, Any]) -> str:
    """Return the document that the REST API exports.

    Raises:
        DeployCheckError: the API's resources do otherwise than the document's operations.
    """
    api = outputs["rest_api_id"]
    exported = gateway.get_export(
        restApiId=api,
        stageName=outputs["stage_name"],
        exportType="oas30",
        parameters={"extensions": "apigateway"},
        accepts="application/json",
    )
    document = exported["body"].read().decode()
    described = {
        (path, method): _executed(operation[_INTEGRATION])
        for path, item in json.loads(document)["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }
    live = {name: _executed(integration) for name, integration in _integrations(gateway, api)}
    differing = {name for name in described.keys() | live if described.get(name) != live.get(name)}
    if differing:
        raise DeployCheckError(f"The REST API differs from its document in {sorted(differing)}")
    return str(document)


def _integrations(gateway: Any, api: str) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    pages = gateway.get_paginator("get_resources").paginate(
        restApiId=api, embed=["methods"], PaginationConfig={"PageSize": 500}
    )
    for resource in (item for page in pages for item in page["items"]):
        for method, entry in resource.get("resourceMethods", {}).items():
            yield (resource["path"], method.lower()), entry["methodIntegration"]


def _executed(integration: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what of an integration decides what is asked of SQS, in the document or the API."""
    templates = integration.get("requestTemplates") or {}
    return integration["type"].lower(), integration.get("uri") or "", templates

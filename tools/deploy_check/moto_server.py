"""Runs moto: `python -m tools.deploy_check.moto_server PORT`.

It patches what moto 5.2.5 does unlike API Gateway and the check depends on.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from moto.apigateway.models import APIGatewayBackend, Stage
from moto.server import main as serve

_METHOD_SETTING = re.compile("/(.+/[A-Z*]+)/((?:metrics|logging|throttling|caching)/.+)")


def allow_mocks(backend: Any) -> None:
    """Take integrations of type mock, which lead nowhere and so have neither URI nor method."""
    build = backend._build_integration_args

    def build_with_defaults(self: Any, integration: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = build(self, integration)
        return made | {name: made.get(name) or "" for name in ("uri", "integration_method")}

    backend._build_integration_args = build_with_defaults


def keep_documents(backend: Any) -> None:
    """Export what was imported; moto itself drops authorizers, schemas and gateway responses."""
    put = backend.put_rest_api

    def put_and_keep(self: Any, function_id: str, api_doc: Any, *more: Any, **named: Any) -> Any:
        api = put(self, function_id, api_doc, *more, **named)
        api.imported_document = api_doc
        return api

    def export(self: Any, rest_api_id: str, _export_type: str) -> Any:
        return self.get_rest_api(rest_api_id).imported_document

    backend.put_rest_api, backend.export_api = put_and_keep, export


def allow_nested_settings(stage: Any) -> None:
    """Take settings of methods whose resource lies deeper than one level."""
    apply = stage.apply_operations

    def apply_nested(self: Any, operations: list[dict[str, Any]]) -> Any:
        rest = []
        for operation in operations:
            found = _METHOD_SETTING.fullmatch(operation["path"])
            if found and operation["op"] == "replace":
                self._patch_method_setting(*found.groups(), operation["value"])
            else:
                rest.append(operation)
        return apply(self, rest)

    stage.apply_operations = apply_nested


def main(arguments: list[str]) -> None:
    """Serve on 127.0.0.1 until the process is ended."""
    [port] = arguments
    allow_mocks(APIGatewayBackend)
    keep_documents(APIGatewayBackend)
    allow_nested_settings(Stage)
    serve(["-H", "127.0.0.1", "-p", port])


if __name__ == "__main__":
    main(sys.argv[1:])

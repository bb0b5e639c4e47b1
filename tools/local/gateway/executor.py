"""Executes one operation: authorizer, validation, templates, integration."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from werkzeug.wrappers import Response

from tools.local.gateway.document import Contract, Integration, Operation, ResponseMapping
from tools.local.gateway.errors import GatewayError
from tools.local.gateway.java import JavaString
from tools.local.gateway.request import Call, decode_segment
from tools.local.gateway.sqs import Answer
from tools.local.gateway.tokens import CognitoAuthorizer
from tools.local.gateway.vtl import Context, Input, Parameters, new_context, render_template

_SQS_URI = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:sqs:path/(.+)")
_URI_PARAMETER = re.compile(r"\{(\w+)\}")


class Backend(Protocol):
    """What integrations of type aws call."""

    def call(self, path: str, body: str) -> Answer:
        """Send a form body to the resource at path."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs the operations of a contract against a backend."""

    contract: Contract
    authorizers: Mapping[str, CognitoAuthorizer]
    backend: Backend
    stage: str | None = None

    def find(self, call: Call) -> tuple[Operation, Parameters]:
        """Find the operation and its path parameters.

        Raises:
            GatewayError: There is none.
        """
        path = self._without_stage(call.raw_path)
        for operation in self.contract.operations:
            found = operation.pattern.fullmatch(path)
            if found and operation.method == call.method:
                decoded = {name: decode_segment(raw) for name, raw in found.groupdict().items()}
                return operation, Parameters(decoded)
        # API Gateway takes an unknown route for one that lacks a signature.
        raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "no such route")

    def run(self, operation: Operation, path: Parameters, call: Call) -> Response:
        """Execute an operation.

        Raises:
            GatewayError: API Gateway answers by itself.
        """
        claims = self._claims(operation, call)
        headers = Parameters(call.headers.items())
        parameters = {"path": path, "querystring": call.query_parameters(), "header": headers}
        _require_parameters(operation, parameters)
        body = call.text()
        _validate_body(operation, call, body)
        template = _request_template(operation.integration, call)
        context = self._context(operation, call, claims)
        payload = Input(JavaString(body or "{}"), parameters)
        request = render_template(template, payload=payload, context=context)
        answer = self._integrate(operation.integration, context, request)
        return _response(operation.integration, context, answer)

    def _without_stage(self, path: str) -> str:
        if self.stage is None:
            return path
        prefix = f"/{self.stage}"
        return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else ""

    def _claims(self, operation: Operation, call: Call) -> Mapping[str, Any]:
        if operation.authorizer is None:
            return {}
        return self.authorizers[operation.authorizer].claims(call.headers.get("Authorization"))

    def _context(self, operation: Operation, call: Call, claims: Mapping[str, Any]) -> Context:
        return new_context(
            requestId=call.request_id,
            requestTimeEpoch=str(time.time_ns() // 1_000_000),
            identity={"sourceIp": call.remote_addr},
            path=call.raw_path,
            stage=self.stage or "",
            resourcePath=operation.path,
            httpMethod=call.method,
            authorizer={"claims": claims},
        )

    def _integrate(self, integration: Integration, context: Context, request: str) -> Answer:
        if integration.kind == "mock":
            return Answer(int(json.loads(request)["statusCode"]), {})
        return self.backend.call(_queue_path(integration.uri, context), request)


def _require_parameters(operation: Operation, parameters: Mapping[str, Parameters]) -> None:
    places = {"path": "path", "query": "querystring", "header": "header"}
    for place, name in operation.required_parameters:
        if name not in parameters[places[place]]:
            raise GatewayError("BAD_REQUEST_PARAMETERS", f"no {name}")


def _validate_body(operation: Operation, call: Call, body: str) -> None:
    validator = operation.bodies.get(call.media_type)
    if validator is not None and not validator.is_valid(_json(body or "{}")):
        raise GatewayError("BAD_REQUEST_BODY", "schema")


def _json(body: str) -> Any:
    try:
        return json.loads(body, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise GatewayError("BAD_REQUEST_BODY", "no JSON") from error


def _reject_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity, JSON has neither.
    raise ValueError(name)


def _request_template(integration: Integration, call: Call) -> str:
    template = integration.templates.get(call.media_type)
    if template is None:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "no template for the content type")
    return template


def _queue_path(uri: str, context: Context) -> str:
    found = _SQS_URI.fullmatch(uri)
    if found is None:
        raise GatewayError("API_CONFIGURATION_ERROR", "not an SQS path")
    overrides = context["requestOverride"]["path"]
    unset = [name for name in _URI_PARAMETER.findall(found[1]) if not overrides[name]]
    if unset:
        raise GatewayError("API_CONFIGURATION_ERROR", f"the template sets no {', '.join(unset)}")
    return _URI_PARAMETER.sub(lambda name: overrides[name[1]], found[1])


def _response(integration: Integration, context: Context, answer: Answer) -> Response:
    mapping = _mapping(integration, answer.status)
    payload = Input(JavaString(json.dumps(answer.body, default=str)))
    body = render_template(mapping.template, payload=payload, context=context)
    override = context["responseOverride"]
    headers = {"Content-Type": "application/json", **mapping.headers, **override["header"]}
    return Response(body, int(override["status"] or mapping.status), headers)


def _mapping(integration: Integration, status: int) -> ResponseMapping:
    for response in integration.responses:
        if re.fullmatch(response.pattern, str(status)):
            return response
    raise GatewayError("API_CONFIGURATION_ERROR", f"no response for status {status}")

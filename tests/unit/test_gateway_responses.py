"""What API Gateway answers by itself has our codes, in JSON, with CORS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

CONTRACT = Path(__file__).parents[2] / "terraform" / "modules" / "api" / "openapi.yaml"

# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
CODES = {
    "ACCESS_DENIED": (403, "forbidden"),
    "API_CONFIGURATION_ERROR": (500, "internal_error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "internal_error"),
    "AUTHORIZER_FAILURE": (500, "internal_error"),
    "BAD_REQUEST_BODY": (400, "invalid_body"),
    "BAD_REQUEST_PARAMETERS": (400, "invalid_parameter"),
    "DEFAULT_4XX": (None, "bad_request"),
    "DEFAULT_5XX": (None, "internal_error"),
    "EXPIRED_TOKEN": (401, "token_expired"),
    "INTEGRATION_FAILURE": (502, "upstream_error"),
    "INTEGRATION_TIMEOUT": (504, "upstream_timeout"),
    "INVALID_API_KEY": (403, "forbidden"),
    "INVALID_SIGNATURE": (404, "route_not_found"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "route_not_found"),
    "QUOTA_EXCEEDED": (429, "too_many_requests"),
    "REQUEST_TOO_LARGE": (413, "body_too_large"),
    "RESOURCE_NOT_FOUND": (404, "route_not_found"),
    "THROTTLED": (429, "too_many_requests"),
    "UNAUTHORIZED": (401, "unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported_media_type"),
    "WAF_FILTERED": (403, "forbidden"),
}


@pytest.fixture(scope="module")
def responses() -> dict[str, Any]:
    document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    found: dict[str, Any] = document["x-amazon-apigateway-gateway-responses"]
    return found


def test_every_type_of_response_is_ours(responses: dict[str, Any]) -> None:
    assert set(responses) == set(CODES)


@pytest.mark.parametrize("kind", CODES)
def test_each_has_its_status_and_code_and_may_be_read_by_a_browser(
    responses: dict[str, Any], kind: str
) -> None:
    status, code = CODES[kind]
    response = responses[kind]
    body = json.loads(response["responseTemplates"]["application/json"])
    assert response.get("statusCode") == (None if status is None else str(status))
    assert body["code"] == code
    assert body["request_id"] == "$context.requestId"
    cors = "gatewayresponse.header.Access-Control-Allow-Origin"
    assert response["responseParameters"][cors] == "'*'"


def test_no_response_repeats_what_the_client_sent(responses: dict[str, Any]) -> None:
    assert "$context.error" not in json.dumps(responses)

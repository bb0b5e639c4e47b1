"""Rules of the contract document that hurt when they are broken."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tests.unit.gateway.tools import CONTRACT, DOCUMENT
from tools.local.gateway.document import METHODS, SOURCE, fill, read, render
from tools.local.gateway.health_and_docs import public_document

TREE: dict[str, Any] = yaml.safe_load(DOCUMENT)
ENTRIES: list[tuple[str, str, dict[str, Any]]] = [
    (path, method, item[method])
    for path, item in TREE["paths"].items()
    for method in METHODS
    if method in item
]
OPERATIONS = [pytest.param(*entry, id=f"{entry[1]} {entry[0]}") for entry in ENTRIES]
SQS_OPERATIONS = [case for case in OPERATIONS if case.values[1] != "options"]
GATEWAY_RESPONSES = TREE["x-amazon-apigateway-gateway-responses"]
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
KNOWN_TYPES = {
    *("ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR"),
    *("AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX"),
    *("DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"),
    *("INVALID_API_KEY", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED"),
    *("REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED", "UNAUTHORIZED"),
    *("UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"),
}


def test_the_routes_are_those_of_the_contract() -> None:
    residents = [
        f"/apartments/{{apartment_id}}/{name}" for name in ("utils", "payments", "histories")
    ]
    posts = {("POST", path) for path in ("/auth", *residents)}
    polls = {
        (method, f"{path}/{{queue_name}}") for _, path in posts for method in ("GET", "DELETE")
    }
    routes = posts | polls
    preflights = {("OPTIONS", path) for _, path in routes}
    assert {(entry.method, entry.path) for entry in CONTRACT.operations} == routes | preflights


def test_the_published_document_is_valid_openapi() -> None:
    public = public_document(DOCUMENT)
    validate(public)
    assert "x-" not in {key[:2] for key in public}
    assert not any("options" in item for item in public["paths"].values())


def test_each_published_operation_links_to_the_next_of_its_journey() -> None:
    linked = {
        (entry["operationId"], link["operationId"])
        for item in public_document(DOCUMENT)["paths"].values()
        for entry in item.values()
        for answer in entry["responses"].values()
        for link in answer.get("links", {}).values()
    }
    journeys = ("Login", "Debts", "Payment", "History")
    assert linked == {
        step
        for name in journeys
        for step in (
            (f"request{name}", f"receive{name}"),
            (f"receive{name}", f"acknowledge{name}"),
        )
    }


def test_the_deployed_document_has_no_links_of_openapi() -> None:
    assert "links" not in {key for entry in ENTRIES for key in _keys(entry[2])}


def _keys(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [*node, *(key for value in node.values() for key in _keys(value))]
    return [key for entry in node for key in _keys(entry)] if isinstance(node, list) else []


def test_the_deployed_document_is_valid_openapi_too() -> None:
    validate(TREE)


def test_terraform_variables_are_the_only_ones() -> None:
    assert set(re.findall(r"[$%]\{([^}]*)\}", SOURCE.read_text("utf-8"))) == {
        *("region", "account_id", "prefix", "partition", "gateway_role_arn"),
        *("user_pool_arn", "user_pool_client_id"),
    }


def test_an_unknown_variable_is_rejected() -> None:
    with pytest.raises(ValueError, match="surprise"):
        fill("${region} ${surprise}", region="eu-central-1")


def test_another_partition_and_role_are_rendered() -> None:
    document = render(
        prefix="p",
        region="cn-north-1",
        account_id="1",
        user_pool_id="u",
        user_pool_client_id="c",
        partition="aws-cn",
        gateway_role_arn="arn:aws-cn:iam::1:role/r",
    )
    integration = yaml.safe_load(document)["paths"]["/auth"]["post"][
        "x-amazon-apigateway-integration"
    ]
    assert integration["uri"] == "arn:aws-cn:apigateway:cn-north-1:sqs:path/1/p-auth"
    assert integration["credentials"] == "arn:aws-cn:iam::1:role/r"
    assert read(document).user_pools == {
        "resident": ("arn:aws-cn:cognito-idp:cn-north-1:1:userpool/u",)
    }


def test_collections_are_aliased_less_often_than_yaml_readers_on_the_jvm_allow() -> None:
    events = list(yaml.parse(SOURCE.read_text("utf-8")))
    scalars = {event.anchor for event in events if isinstance(event, yaml.ScalarEvent)}
    aliases = [event for event in events if isinstance(event, yaml.AliasEvent)]
    assert sum(event.anchor not in scalars for event in aliases) <= 50


@pytest.mark.parametrize(("path", "method", "entry"), SQS_OPERATIONS)
def test_an_integration_posts_a_form_and_passes_nothing_through(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    integration = entry["x-amazon-apigateway-integration"]
    assert integration["type"] == "aws"
    assert integration["httpMethod"] == "POST"
    assert integration["passthroughBehavior"] == "never"
    assert list(integration["requestTemplates"]) == ["application/json"]
    assert integration["timeoutInMillis"] == 29_000
    assert integration["requestParameters"] == {
        "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
    }


@pytest.mark.parametrize(("path", "method", "entry"), SQS_OPERATIONS)
def test_a_post_leads_to_the_queue_of_its_own_operation(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    queue = path.rsplit("/", 1)[-1] if method == "post" else "{queue}"
    expected = f"bill-test-{queue}" if method == "post" else queue
    uri = entry["x-amazon-apigateway-integration"]["uri"]
    assert uri == f"arn:aws:apigateway:eu-central-1:sqs:path/123456789012/{expected}"


@pytest.mark.parametrize(("path", "method", "entry"), OPERATIONS)
def test_no_answer_is_a_success_by_default(path: str, method: str, entry: dict[str, Any]) -> None:
    responses = entry["x-amazon-apigateway-integration"]["responses"]
    patterns = {r"2\d{2}"} if method == "options" else {r"2\d{2}", r"4\d{2}", r"5\d{2}"}
    assert set(responses) == patterns
    for pattern, response in responses.items():
        assert (pattern == r"2\d{2}") == response["statusCode"].startswith("2")
    # API Gateway knows integration responses by their status: a second one replaces the first.
    assert len({response["statusCode"] for response in responses.values()}) == len(responses)


@pytest.mark.parametrize(("path", "method", "entry"), OPERATIONS)
def test_each_mapped_header_and_status_is_declared(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    for response in entry["x-amazon-apigateway-integration"]["responses"].values():
        declared = entry["responses"][response["statusCode"]]["headers"]
        mapped = {name.rsplit(".", 1)[-1] for name in response["responseParameters"]}
        assert mapped <= set(declared)
        assert (
            response["responseParameters"]["method.response.header.Access-Control-Allow-Origin"]
            == "'*'"
        )


@pytest.mark.parametrize(("path", "method", "entry"), OPERATIONS)
def test_only_apartments_need_a_token_and_preflights_never(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    needs = path.startswith("/apartments/") and method != "options"
    assert entry.get("security", []) == ([{"resident": []}] if needs else [])
    assert ("401" in entry["responses"]) == needs


@pytest.mark.parametrize(("path", "method", "entry"), SQS_OPERATIONS)
def test_each_operation_documents_its_answers(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    success = {"post": "202", "get": "200", "delete": "204"}[method]
    rejections = {"400", "403", "413", "415", "429", "500", "502", "504"}
    assert set(entry["responses"]) - {"401"} == {success, *rejections}
    assert entry["operationId"]
    assert entry["summary"]
    assert entry["tags"]


def test_operation_ids_are_unique() -> None:
    names = [entry["operationId"] for _, method, entry in ENTRIES if method != "options"]
    assert len(names) == len(set(names))


def test_requests_are_validated_whole() -> None:
    validators = TREE["x-amazon-apigateway-request-validators"]
    usual = TREE["x-amazon-apigateway-request-validator"]
    for _, method, entry in ENTRIES:
        assert validators[entry.get("x-amazon-apigateway-request-validator", usual)] == {
            "validateRequestBody": method == "post",
            "validateRequestParameters": True,
        }


def test_the_authorizer_is_the_user_pool() -> None:
    scheme = TREE["components"]["securitySchemes"]["resident"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    assert scheme["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    assert scheme["x-amazon-apigateway-authorizer"]["type"] == "cognito_user_pools"


def test_every_gateway_response_is_ours() -> None:
    assert set(GATEWAY_RESPONSES) == KNOWN_TYPES


@pytest.mark.parametrize("name", sorted(KNOWN_TYPES))
def test_a_gateway_response_has_our_shape_and_cors(name: str) -> None:
    response = GATEWAY_RESPONSES[name]
    body = yaml.safe_load(response["responseTemplates"]["application/json"])
    assert set(body) == {"code", "message", "request_id"}
    assert body["code"] in TREE["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    assert body["request_id"] == "$context.requestId"
    assert "$context.error" not in str(response)
    headers = response["responseParameters"]
    assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
    limited = body["code"] == "too_many_requests"
    assert ("gatewayresponse.header.Retry-After" in headers) == limited


def schemas_of_requests() -> list[str]:
    """Name the schemas that bodies are checked against, and those they refer to."""
    schemas = TREE["components"]["schemas"]
    todo = ["LoginRequest", "DebtsRequest", "PaymentRequest", "HistoryRequest"]
    found: list[str] = []
    while todo:
        name = todo.pop()
        found.append(name)
        todo += re.findall(r"#/components/schemas/(\w+)", str(schemas[name]))
    return sorted(set(found))


@pytest.mark.parametrize("name", schemas_of_requests())
def test_request_schemas_say_nothing_that_draft_4_does_not_know(name: str) -> None:
    schema = str(TREE["components"]["schemas"][name])
    for word in ("nullable", "format", "discriminator", "readOnly", "exclusiveM", "const"):
        assert f"'{word}" not in schema


@pytest.mark.parametrize("name", schemas_of_requests())
def test_request_objects_are_closed(name: str) -> None:
    schema = TREE["components"]["schemas"][name]
    assert schema.get("type") != "object" or schema["additionalProperties"] is False


@pytest.mark.parametrize("name", sorted(TREE["components"]["schemas"]))
def test_schema_names_suit_api_gateway_models(name: str) -> None:
    assert re.fullmatch("[A-Za-z0-9]+", name)

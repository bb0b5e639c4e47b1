"""Rules of the contract document that hurt when they are broken, and its examples."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from chalicelib.operations import OPERATIONS
from tests.unit.gateway.tools import CONTRACT, DOCUMENT
from tools.local.gateway.document import METHODS, SOURCE, fill, read
from tools.local.gateway.health_and_docs import public_document

TREE: dict[str, Any] = yaml.safe_load(DOCUMENT)
ENTRIES: list[tuple[str, str, dict[str, Any]]] = [
    (path, method, item[method])
    for path, item in TREE["paths"].items()
    for method in METHODS
    if method in item
]
each = pytest.mark.parametrize(
    ("path", "method", "entry"),
    [pytest.param(*entry, id=f"{entry[1]} {entry[0]}") for entry in ENTRIES],
)
each_of_sqs = pytest.mark.parametrize(
    ("path", "method", "entry"),
    [pytest.param(*one, id=f"{one[1]} {one[0]}") for one in ENTRIES if one[1] != "options"],
)
SCHEMAS: dict[str, Any] = TREE["components"]["schemas"]
REPLIES = sorted(name for name in SCHEMAS if name.endswith("Reply") and name != "Reply")
RESPONSES: dict[str, Any] = TREE["x-amazon-apigateway-gateway-responses"]
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
CODES = {
    "ACCESS_DENIED": ("403", "forbidden"),
    "API_CONFIGURATION_ERROR": ("500", "internal_error"),
    "AUTHORIZER_CONFIGURATION_ERROR": ("500", "internal_error"),
    "AUTHORIZER_FAILURE": ("500", "internal_error"),
    "BAD_REQUEST_BODY": ("400", "invalid_body"),
    "BAD_REQUEST_PARAMETERS": ("400", "invalid_parameter"),
    "DEFAULT_4XX": (None, "bad_request"),
    "DEFAULT_5XX": (None, "internal_error"),
    "EXPIRED_TOKEN": ("401", "token_expired"),
    "INTEGRATION_FAILURE": ("502", "upstream_error"),
    "INTEGRATION_TIMEOUT": ("504", "upstream_timeout"),
    "INVALID_API_KEY": ("403", "forbidden"),
    "INVALID_SIGNATURE": ("404", "route_not_found"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "route_not_found"),
    "QUOTA_EXCEEDED": ("429", "too_many_requests"),
    "REQUEST_TOO_LARGE": ("413", "body_too_large"),
    "RESOURCE_NOT_FOUND": ("404", "route_not_found"),
    "THROTTLED": ("429", "too_many_requests"),
    "UNAUTHORIZED": ("401", "unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": ("415", "unsupported_media_type"),
    "WAF_FILTERED": ("403", "forbidden"),
}


def test_the_routes_are_those_of_the_contract() -> None:
    posts = {f"/apartments/{{apartment_id}}/{name}" for name in {*OPERATIONS} - {"auth"}}
    posts |= {"/auth"}
    polls = {f"{path}/{{queue_name}}" for path in posts}
    assert {(entry.method, entry.path) for entry in CONTRACT.operations} == {
        *(("POST", path) for path in posts),
        *((method, path) for path in polls for method in ("GET", "DELETE")),
        *(("OPTIONS", path) for path in posts | polls),
    }


def test_the_published_and_the_deployed_document_are_valid_openapi() -> None:
    public = public_document(DOCUMENT)
    validate(public)
    validate(TREE)
    assert "x-" not in {key[:2] for key in public}
    assert not any("options" in item for item in public["paths"].values())
    # What API Gateway does with links is documented nowhere.
    assert "'links'" not in str(ENTRIES)


def test_an_unknown_variable_is_rejected() -> None:
    with pytest.raises(ValueError, match="surprise"):
        fill("${region} ${surprise}", region="eu-central-1")


def test_no_partition_of_aws_is_taken_for_granted() -> None:
    assert set(re.findall(r"arn:([^:]+):", SOURCE.read_text("utf-8"))) == {"${partition}"}


def test_collections_are_aliased_less_often_than_yaml_readers_on_the_jvm_allow() -> None:
    events = list(yaml.parse(SOURCE.read_text("utf-8")))
    scalars = {event.anchor for event in events if isinstance(event, yaml.ScalarEvent)}
    aliases = [event for event in events if isinstance(event, yaml.AliasEvent)]
    assert sum(event.anchor not in scalars for event in aliases) <= 50


@each_of_sqs
def test_an_integration_posts_a_form_to_its_own_queue_and_passes_nothing_through(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    integration = entry["x-amazon-apigateway-integration"]
    queue = f"bill-test-{path.rsplit('/', 1)[-1]}" if method == "post" else "{queue}"
    expected = {
        "type": "aws",
        "httpMethod": "POST",
        "uri": f"arn:aws:apigateway:eu-central-1:sqs:path/123456789012/{queue}",
        "passthroughBehavior": "never",
        "timeoutInMillis": 29_000,
        "requestParameters": {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
    }
    assert {name: integration[name] for name in expected} == expected
    templates = integration["requestTemplates"]
    if method == "post":
        assert list(templates) == ["application/json"]
    else:
        # It is chosen by what a library sends of its own, with a body that may be anything.
        assert (len(templates), len(set(templates.values()))) == (5, 1)
        assert not re.search(r"\$input\.(?!params)", templates["application/json"])


@each
def test_no_answer_is_a_success_by_default(path: str, method: str, entry: dict[str, Any]) -> None:
    responses = entry["x-amazon-apigateway-integration"]["responses"]
    patterns = {r"2\d{2}"} if method == "options" else {r"2\d{2}", r"4\d{2}", r"5\d{2}"}
    assert set(responses) == patterns
    for pattern, response in responses.items():
        assert (pattern == r"2\d{2}") == response["statusCode"].startswith("2")
    # API Gateway knows integration responses by their status: a second one replaces the first.
    assert len({response["statusCode"] for response in responses.values()}) == len(responses)


@each
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


@each
def test_only_apartments_need_a_token_and_preflights_never(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    needs = path.startswith("/apartments/") and method != "options"
    assert entry.get("security", []) == ([{"resident": []}] if needs else [])
    assert ("401" in entry["responses"]) == needs


@each_of_sqs
def test_each_operation_documents_its_answers(
    path: str, method: str, entry: dict[str, Any]
) -> None:
    success = {"post": "202", "get": "200", "delete": "204"}[method]
    rejections = {"400", "403", "413", "415", "429", "500", "502", "504"}
    assert set(entry["responses"]) - {"401"} == {success, *rejections}
    assert entry["operationId"]
    assert entry["summary"]
    assert entry["tags"]


def test_requests_are_validated_whole() -> None:
    validators = TREE["x-amazon-apigateway-request-validators"]
    usual = TREE["x-amazon-apigateway-request-validator"]
    for _, method, entry in ENTRIES:
        assert validators[entry.get("x-amazon-apigateway-request-validator", usual)] == {
            "validateRequestBody": method == "post",
            "validateRequestParameters": True,
        }


def test_every_gateway_response_is_ours() -> None:
    assert set(RESPONSES) == set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_a_gateway_response_has_its_code_in_our_shape_and_may_be_read_by_a_browser(
    name: str,
) -> None:
    response = RESPONSES[name]
    body = json.loads(response["responseTemplates"]["application/json"])
    assert (response.get("statusCode"), body["code"]) == CODES[name]
    assert set(body) == {"code", "message", "request_id"}
    assert body["request_id"] == "$context.requestId"
    # It would repeat what the client sent.
    assert "$context.error" not in str(response)
    headers = response["responseParameters"]
    assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
    limited = body["code"] == "too_many_requests"
    assert ("gatewayresponse.header.Retry-After" in headers) == limited


def schemas_of_requests() -> list[str]:
    """Name the schemas that bodies are checked against, and those they refer to."""
    bodies = [entry["requestBody"] for _, method, entry in ENTRIES if method == "post"]
    todo = re.findall(r"#/components/schemas/(\w+)", str(bodies))
    found: list[str] = []
    while todo:
        name = todo.pop()
        found.append(name)
        todo += re.findall(r"#/components/schemas/(\w+)", str(SCHEMAS[name]))
    return sorted(set(found))


@pytest.mark.parametrize("name", schemas_of_requests())
def test_a_request_schema_is_closed_and_says_nothing_that_draft_4_does_not_know(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema.get("type") != "object" or schema["additionalProperties"] is False
    for word in ("nullable", "format", "discriminator", "readOnly", "exclusiveM", "const"):
        assert f"'{word}" not in str(schema)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schema_names_suit_api_gateway_models(name: str) -> None:
    assert re.fullmatch("[A-Za-z0-9]+", name)


def problems(reply: dict[str, Any], name: str) -> list[str]:
    """Return what a schema of the contract says against a reply."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": TREE["components"]}
    return [error.message for error in OAS30Validator(schema).iter_errors(reply)]


def data_schema_of(reply: str) -> str:
    """Name the schema of a reply's data when it is done."""
    done, _rejected = SCHEMAS[reply]["allOf"][1]["properties"]["data"]["anyOf"]
    return str(done["$ref"]).rpartition("/")[2]


@pytest.mark.parametrize("name", REPLIES)
def test_an_example_fits_its_schema_and_says_what_the_code_says(name: str) -> None:
    example = SCHEMAS[name]["example"]
    assert problems(example, name) == []
    assert example["message"] == OPERATIONS[example["operation"]].done_message


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_that_lacks_a_field_of_its_data_does_not_fit(name: str) -> None:
    """So generated clients may rely on every field of a reply that is done."""
    example = SCHEMAS[name]["example"]
    for field in example["data"]:
        data = {key: value for key, value in example["data"].items() if key != field}
        assert problems(data, data_schema_of(name)) != [], field


@pytest.mark.parametrize("name", REPLIES)
def test_a_rejection_fits_with_and_without_data(name: str) -> None:
    rejected = {**SCHEMAS[name]["example"], "status": "rejected", "code": "invalid_request"}
    assert problems({**rejected, "data": None}, name) == []
    assert problems({**rejected, "data": {"fields": ["queue_name"]}}, name) == []


AUD = "$context.authorizer.claims.aud"
MESSAGE = "$util.urlEncode($input.body)"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("timeoutInMillis: 29000", "timeoutMillis: 29000", "timeoutMillis"),
        ("timeoutInMillis: 29000", "timeoutInMillis: 90000", "90000 is not"),
        ("passthroughBehavior: never", "passthroughBehavior: when_no_match", "when_no_match"),
        ("type: aws", "type: aws_proxy", "'aws_proxy' is not"),
        ("/x-www-form-urlencoded", "/json", "application/json"),
        ("request.header.Content-Type", "request.header.X-Amz-Target", "X-Amz-Target"),
        ("integration.request.header.Content", "integration.request.querystring.C", "querystring"),
        ("header.Retry-After: \"'1'\"", "header.Retry-After: context.requestId", "'context.req"),
        ("requestTemplates:", "requestTemplate:", "requestTemplate"),
        ("validateRequestBody: true", "validateRequestBodies: true", "validateRequestBodies"),
        ("request-validator: body-and-parameters", "request-validator: body", "validator body"),
        ("apigateway-request-validator:", "apigateway-validator:", "apigateway-validator"),
        ("x-amazon-apigateway-authtype", "x-amazon-apigateway-auth", "x-amazon-apigateway-auth"),
        ("type: cognito_user_pools", "type: token", "'token' is not"),
        (AUD, "$context.authorizer.claims.audience", "claims.audience"),
        (AUD, "$context.authoriser.claims.aud", "$context.authoriser"),
        (AUD, "$stageVariables.client", "$stageVariables.client"),
        (MESSAGE, "$util.escapeJavaScript($input.body)", "$util.escapeJavaScript"),
        (MESSAGE, "$util.urlEncode($input.json('$'))", "$input.json"),
        (MESSAGE, "$util.urlEncode($boby)", "$boby"),
        ('"request_id":"$context.requestId"', '"request_id":"$context.requestID"', "requestID"),
    ],
)
def test_what_is_not_executed_here_is_not_even_read(old: str, new: str, named: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(ValueError, match=re.escape(named)):
        read(DOCUMENT.replace(old, new))


def test_bodies_and_parameters_are_validated_where_the_document_says_so() -> None:
    body, parameters = "validateRequestBody: true", "validateRequestParameters: true"
    lax = read(DOCUMENT.replace(body, "validateRequestBody: false"))
    laxer = read(DOCUMENT.replace(parameters, "validateRequestParameters: false"))
    assert any(one.bodies for one in CONTRACT.operations)
    assert any(one.required_parameters for one in CONTRACT.operations)
    assert not any(one.bodies for one in lax.operations)
    assert not any(one.required_parameters for one in laxer.operations)

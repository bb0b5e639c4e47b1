"""Reading the contract: the rendered OpenAPI document becomes operations that can be executed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft4Validator

from tools.local.gateway.known import require_known

SOURCE = Path(__file__).parents[3] / "terraform" / "modules" / "api" / "openapi.yaml"
METHODS = ("get", "post", "put", "delete", "patch", "head", "options")
# These two keep the status of their cause; that of all which the executor rejects by them is this.
_USUAL_STATUS = {"DEFAULT_4XX": {"statusCode": "400"}, "DEFAULT_5XX": {"statusCode": "500"}}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ResponseMapping:
    """How an answer becomes the client's.

    `pattern` says of which statuses of an integration; `status` is the client's.
    """

    pattern: str
    status: int
    headers: Mapping[str, str]
    template: str


@dataclass(frozen=True, slots=True)
class Integration:
    """Where an operation leads and how its request and answer are mapped."""

    kind: str
    uri: str
    templates: Mapping[str, str]
    responses: tuple[ResponseMapping, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    pattern: re.Pattern[str]
    authorizer: str | None
    required_parameters: tuple[tuple[str, str], ...]
    bodies: Mapping[str, Draft4Validator]
    integration: Integration


@dataclass(frozen=True, slots=True)
class Contract:
    """All that the executor takes from the document."""

    operations: tuple[Operation, ...]
    gateway_responses: Mapping[str, ResponseMapping]
    user_pools: Mapping[str, tuple[str, ...]]
    """User pool ARNs by the name of the security scheme."""


def render(
    *,
    prefix: str,
    region: str,
    account_id: str,
    user_pool_id: str,
    user_pool_client_id: str,
) -> str:
    """Fill in the document's variables as Terraform's templatefile does.

    Raises:
        ValueError: The document names a variable that is not known here.
    """
    return fill(
        SOURCE.read_text("utf-8"),
        prefix=prefix,
        region=region,
        account_id=account_id,
        partition="aws",
        gateway_role_arn=f"arn:aws:iam::{account_id}:role/{prefix}-gateway",
        user_pool_arn=f"arn:aws:cognito-idp:{region}:{account_id}:userpool/{user_pool_id}",
        user_pool_client_id=user_pool_client_id,
    )


def fill(text: str, **values: str) -> str:
    """Replace each ${name}.

    Raises:
        ValueError: A name without a value.
    """
    unknown = {name for name in _VARIABLE.findall(text) if name not in values}
    if unknown:
        raise ValueError(f"the document has variables without a value: {sorted(unknown)}")
    return _VARIABLE.sub(lambda found: values[found[1]], text)


@lru_cache(maxsize=4)
def parse(document: str) -> dict[str, Any]:
    """Parse a rendered document (YAML or JSON). The result is shared: leave it unchanged."""
    # libyaml is ten times faster, and not in every build of PyYAML.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tree: dict[str, Any] = yaml.load(document, Loader=loader)  # noqa: S506 - both are safe loaders
    return tree


def example_bodies() -> dict[str, dict[str, Any]]:
    """Return the contract's example of a request for each operation, with what it must have alone.

    `queue_name` is left out: each request has its own.
    """
    tree = parse(SOURCE.read_text("utf-8"))
    posts = {path: item["post"] for path, item in tree["paths"].items() if "post" in item}
    return {path.rpartition("/")[2]: _example(tree, post) for path, post in posts.items()}


def _example(tree: Mapping[str, Any], post: Mapping[str, Any]) -> dict[str, Any]:
    content = post["requestBody"]["content"]["application/json"]
    schema = tree["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    examples = content.get("examples") or {"only": {"value": content["example"]}}
    example = next(iter(examples.values()))["value"]
    required = set(schema.get("required", example)) - {"queue_name"}
    return {name: value for name, value in example.items() if name in required}


@lru_cache(maxsize=4)
def read(document: str) -> Contract:
    """Read a rendered document.

    Raises:
        ValueError: It has something that is not executed here.
    """
    tree = parse(document)
    require_known(tree)
    return Contract(
        operations=tuple(_operations(tree)),
        gateway_responses={
            name: _response_mapping(_USUAL_STATUS.get(name, {}) | entry, "gatewayresponse.header.")
            for name, entry in tree["x-amazon-apigateway-gateway-responses"].items()
        },
        user_pools=dict(_user_pools(tree)),
    )


def _operations(tree: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in tree["paths"].items():
        for method in METHODS:
            if method in item:
                yield _operation(tree, path, method, item[method])


def _operation(tree: Mapping[str, Any], path: str, method: str, entry: Any) -> Operation:
    validator = _validator(tree, entry)
    return Operation(
        method=method.upper(),
        path=path,
        pattern=re.compile(_PATH_PARAMETER.sub(r"(?P<\1>[^/]+)", path) + "/?"),
        authorizer=next((name for scheme in entry.get("security", ()) for name in scheme), None),
        required_parameters=tuple(
            (parameter["in"], parameter["name"])
            for parameter in (_resolved(tree, found) for found in entry.get("parameters", ()))
            if parameter.get("required") and validator["validateRequestParameters"]
        ),
        bodies=_bodies(tree, entry) if validator["validateRequestBody"] else {},
        integration=_integration(entry["x-amazon-apigateway-integration"]),
    )


def _validator(tree: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, bool]:
    """Return what is validated; as on API Gateway nothing is unless a validator says so."""
    name = "x-amazon-apigateway-request-validator"
    chosen = entry.get(name, tree.get(name))
    validators: Mapping[str, Mapping[str, bool]] = tree[f"{name}s"]
    if chosen not in validators:
        raise ValueError(f"there is no request validator {chosen}")
    return validators[chosen]


def _resolved(tree: Mapping[str, Any], node: Any) -> Any:
    """Follow a reference into the document (`#/components/...`)."""
    for name in node.get("$ref", "").split("/")[1:]:
        tree = tree[name]
        node = tree
    return node


def _bodies(tree: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Draft4Validator]:
    content = entry.get("requestBody", {}).get("content", {})
    return {
        # The components stand beside the schema so that its references resolve.
        media_type: Draft4Validator({"allOf": [body["schema"]], "components": tree["components"]})
        for media_type, body in content.items()
    }


def _integration(entry: Mapping[str, Any]) -> Integration:
    responses = (
        _response_mapping(response, "method.response.header.", pattern)
        for pattern, response in entry["responses"].items()
    )
    # One for each status, as API Gateway keeps them: a later one replaces an earlier.
    by_status = {response.status: response for response in responses}
    return Integration(
        kind=entry["type"].lower(),
        uri=entry.get("uri", ""),
        templates=entry["requestTemplates"],
        responses=tuple(by_status.values()),
    )


def _response_mapping(
    entry: Mapping[str, Any], header_prefix: str, pattern: str = ""
) -> ResponseMapping:
    return ResponseMapping(
        pattern=pattern,
        status=int(entry["statusCode"]),
        headers=_named(entry.get("responseParameters", {}), header_prefix),
        template=entry["responseTemplates"]["application/json"],
    )


def _named(parameters: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Take static values ('...' in single quotes) by the header that they are for."""
    return {
        name.removeprefix(prefix): value.removeprefix("'").removesuffix("'")
        for name, value in parameters.items()
    }


def _user_pools(tree: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, scheme in tree.get("components", {}).get("securitySchemes", {}).items():
        authorizer = scheme.get("x-amazon-apigateway-authorizer")
        if authorizer:
            yield name, tuple(authorizer["providerARNs"])

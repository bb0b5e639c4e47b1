"""What of the contract is executed here: anything else would be deployed without being tried.

API Gateway passes over some names that it doesn't know, and fails at others only when it meets
them. A document with one is not even read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft4Validator

_SET = re.compile(r"#set\(\s*\$(\w+)\s*=|#foreach\(\s*\$(\w+)\s+in\b")
_REFERENCE = re.compile(r"\$!?([A-Za-z_]\w*(?:\.\w+)*)")
# The variables of a template, and the methods of strings that may follow.
_VARIABLE = re.compile(
    r"(context\.(requestId|requestTimeEpoch|identity\.sourceIp|path|stage|resourcePath|httpMethod"
    r"|authorizer\.claims\.(sub|aud)|requestOverride\.(path|header|querystring)\.\w+"
    r"|responseOverride\.(status|header\.\w+))|input\.(body|params|path)|util\.urlEncode)"
    r"(\.(contains|replaceAll|substring|toLowerCase))?"
)
_IN_GATEWAY_RESPONSES = re.compile(r"context\.requestId")

_Schema = Mapping[str, Any]


def _one_of(*values: Any) -> _Schema:
    return {"enum": values}


def _each(schema: _Schema) -> _Schema:
    return {"additionalProperties": schema}


def _only(**properties: _Schema) -> _Schema:
    return {"additionalProperties": False, "properties": properties}


# A header of a response has a fixed value, in single quotes.
_RESPONSE = _only(
    statusCode={},
    responseParameters={
        "additionalProperties": False,
        "patternProperties": {r"^(gateway|method\.)response\.header\.": {"pattern": "^'[^']*'$"}},
    },
    responseTemplates={},
)
_EXTENSIONS: Mapping[str, _Schema] = {
    "authorizer": _only(type=_one_of("cognito_user_pools"), providerARNs={}),
    "authtype": _one_of("cognito_user_pools"),
    "gateway-responses": _each(_RESPONSE),
    "integration": _only(
        type=_one_of("aws", "mock"),
        httpMethod=_one_of("POST"),
        uri={},
        credentials={},
        passthroughBehavior=_one_of("never"),
        timeoutInMillis=_one_of(29_000),
        # What makes SQS read the body that a template renders.
        requestParameters=_one_of(
            {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
        ),
        requestTemplates={},
        responses=_each(_RESPONSE),
    ),
    "request-validator": {},
    "request-validators": _each(_only(validateRequestBody={}, validateRequestParameters={})),
}
_KNOWN = {f"x-amazon-apigateway-{name}": one for name, one in _EXTENSIONS.items()}
_VALIDATORS = {name: Draft4Validator(schema) for name, schema in _KNOWN.items()}


def require_known(tree: Mapping[str, Any]) -> None:
    """Look through a document before it is executed.

    Raises:
        ValueError: It has a name or a value that is not executed here, which the text names.
    """
    if unknown := sorted(set(_unknown(tree, _VARIABLE))):
        raise ValueError(f"not known to the executor: {'; '.join(unknown)}")


def _unknown(node: Any, variable: re.Pattern[str]) -> Iterator[str]:
    if isinstance(node, list):
        yield from (one for entry in node for one in _unknown(entry, variable))
    for name, value in node.items() if isinstance(node, dict) else ():
        if name in _VALIDATORS:
            yield from (f"{name}: {e.message}" for e in _VALIDATORS[name].iter_errors(value))
        elif str(name).startswith("x-") and name not in ("x-links", "x-shared"):
            yield name
        elif str(name).endswith("Templates"):
            yield from (f"{name}: {one}" for t in value.values() for one in _left(t, variable))
        is_ours = name == "x-amazon-apigateway-gateway-responses"
        yield from _unknown(value, _IN_GATEWAY_RESPONSES if is_ours else variable)


def _left(template: str, variable: re.Pattern[str]) -> list[str]:
    """Return the variables of a mapping template that are neither set in it nor known."""
    local = {name for found in _SET.findall(template) for name in found} | {"foreach"}
    names = _REFERENCE.findall(template)
    return [f"${n}" for n in names if n.split(".")[0] not in local and not variable.fullmatch(n)]

"""Mapping templates: Velocity by the airspeed library, with the variables of API Gateway."""

# ruff: noqa: N802 - $util's functions are named as in API Gateway.

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import airspeed
from jsonpath_ng import JSONPath
from jsonpath_ng.parser import JsonPathParser

from tools.local.gateway.errors import GatewayError
from tools.local.gateway.java import JavaString, url_encode


class Context(dict[str, Any]):
    """$context and its branches: what is unknown reads as an empty string."""

    def __missing__(self, name: str) -> str:
        return JavaString("")


class Once(Context):
    """Overrides: API Gateway answers a 5xx when one is set twice."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            raise ValueError(f"{name} is overridden twice")
        super().__setitem__(name, value)


class Parameters(dict[str, str]):
    """A map of parameters: names in the case they were sent in, null prints as nothing."""

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        """Give the value, an empty string when there is none, as Velocity does and not a dict."""
        return JavaString(super().get(name, default or ""))

    def keySet(self) -> list[JavaString]:
        """List the names."""
        return [JavaString(name) for name in self]


@dataclass(frozen=True, slots=True)
class Input:
    """$input: the payload and, in a request template, the client's parameters."""

    body: JavaString
    parameters: Mapping[str, Parameters] = field(default_factory=dict)

    def params(self, name: str | None = None) -> Any:
        """Look up a name in path, query string and headers, in this order; without it, all."""
        if name is None:
            return self.parameters
        found = (values[name] for values in self.parameters.values() if name in values)
        return JavaString(next(found, ""))

    def path(self, expression: str) -> Any:
        """Evaluate a JSONPath on the payload; an empty string where there is nothing."""
        found = [match.value for match in _jsonpath(expression).find(_parsed(self.body))]
        return _java(found[0] if len(found) == 1 else found or None)


class Util:
    """$util."""

    def urlEncode(self, value: object) -> JavaString:
        """Encode for a form body, as java.net.URLEncoder does."""
        return url_encode(value)


def new_context(**values: Any) -> Context:
    """Make a $context with these variables and empty overrides."""
    context = Context({name: _context_value(value) for name, value in values.items()})
    context["requestOverride"] = {"path": Once(), "header": Once(), "querystring": Once()}
    context["responseOverride"] = Once(header=Once())
    return context


def render_template(template: str, *, payload: Input, context: Context) -> str:
    """Run a mapping template. Overrides are left in the context.

    Raises:
        GatewayError: The template fails, as API Gateway then answers a 500.
    """
    try:
        variables = {"input": payload, "context": context, "util": Util()}
        return str(_compiled(template).merge(variables))
    except airspeed.TemplateError as error:
        raise GatewayError("API_CONFIGURATION_ERROR", str(error.__cause__ or error)) from error


@lru_cache(maxsize=256)
def _compiled(template: str) -> airspeed.Template:
    compiled = airspeed.Template(template)
    compiled.ensure_compiled()
    return compiled


@lru_cache(maxsize=256)
def _jsonpath(expression: str) -> JSONPath:
    return JsonPathParser().parse(expression)


def _parsed(body: str) -> Any:
    try:
        return json.loads(body or "{}")
    except ValueError as error:
        raise GatewayError("DEFAULT_5XX", "the payload of a template is no JSON") from error


def _context_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Context({name: _context_value(member) for name, member in value.items()})
    return JavaString("" if value is None else value)


def _java(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _java(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_java(member) for member in value]
    return JavaString(value or "") if value is None or isinstance(value, str) else value

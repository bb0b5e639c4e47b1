"""The contract's routes, each made into a request that is right but for what a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.hostile.contract import published_document
from tests.support.api import Json
from tools.local.gateway.document import METHODS

# In place of a value: the field is not sent at all.
LEFT_OUT = object()
BODIES: Mapping[str, Json] = {
    "/auth": {"username": "nobody", "password": "Wrong-Passw0rd-1"},
    "/apartments/{apartment_id}/utils": {},
    "/apartments/{apartment_id}/payments": {"bills_id": [str(uuid4())]},
    "/apartments/{apartment_id}/histories": {"date_up": None, "date_down": None},
}


@dataclass(frozen=True)
class Route:
    """A method of a path, and the names of everything in it that a client chooses."""

    method: str
    path: str
    secured: bool
    identifiers: frozenset[str]

    def __str__(self) -> str:
        """Write it as documents do."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Ask:
    """A request to a route."""

    route: Route
    apartment: UUID = field(default_factory=uuid4)
    queue_name: str = field(default_factory=lambda: str(uuid4()))
    receipt: str = "none"
    body: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> Ask:
        """Return the request with something else in it."""
        return replace(self, **changes)

    def send(self, http: httpx.Client) -> httpx.Response:
        """Send it; polls don't wait."""
        path = self.route.path.format(apartment_id=self.apartment, queue_name=self.queue_name)
        if self.route.method == "POST":
            body = {"queue_name": self.queue_name, **BODIES[self.route.path], **self.body}
            body = {name: value for name, value in body.items() if value is not LEFT_OUT}
            return http.post(path, json=body, headers=self.headers)
        query = {"receipt": self.receipt} if self.route.method == "DELETE" else _NO_WAIT
        return http.request(self.route.method, path, params=query, headers=self.headers)


_NO_WAIT = {"wait_seconds": "0"}


def routes() -> list[Route]:
    """List the routes of the document."""
    document = published_document()
    return [
        Route(
            method=method.upper(),
            path=path,
            secured=bool(item[method].get("security")),
            identifiers=frozenset(_identifiers(document, item[method])),
        )
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _identifiers(document: Json, operation: Json) -> list[str]:
    """Name the parameters and the fields of the body."""
    parameters = [_resolved(document, one)["name"] for one in operation.get("parameters", [])]
    content = operation.get("requestBody", {}).get("content", {})
    return parameters + [
        name for entry in content.values() for name in _fields(document, entry["schema"])
    ]


def _fields(document: Json, schema: Json) -> list[str]:
    schema = _resolved(document, schema)
    ways = [name for way in schema.get("oneOf", []) for name in _fields(document, way)]
    return ways + list(schema.get("properties", {}))


def _resolved(document: Json, node: Json) -> Json:
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: Json = document["components"][kind][name]
    return found

"""The contract's routes, each made into a request that is right but for what a test changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.support.api import Json
from tests.unit.gateway.tools import DOCUMENT as DEPLOYED
from tools.local.gateway.document import METHODS, example_bodies
from tools.local.gateway.health_and_docs import public_document

# What clients read.
DOCUMENT = public_document(DEPLOYED)
BODIES = example_bodies()


@dataclass(frozen=True)
class Route:
    """A method of a path, and where everything stands in it that a client chooses."""

    method: str
    path: str
    entry: Json

    def __str__(self) -> str:
        """Write it as documents do."""
        return f"{self.method} {self.path}"

    @property
    def secured(self) -> bool:
        """Whether it needs a token."""
        return bool(self.entry.get("security"))

    @property
    def operation(self) -> str:
        """The last word of the path of a POST."""
        return self.path.rpartition("/")[2]

    def places(self) -> dict[str, str]:
        """Say where each value stands: path, query, header or body."""
        parameters = map(resolved, self.entry.get("parameters", []))
        content = self.entry.get("requestBody", {"content": {}})["content"].values()
        fields = {name: "body" for body in content for name in _fields(body["schema"])}
        return fields | {parameter["name"]: parameter["in"] for parameter in parameters}

    def usual(self, **changes: Any) -> Json:
        """Return values for a request that is right, but for the changes."""
        named = {"apartment_id": uuid4(), "queue_name": str(uuid4()), "receipt": "none"}
        return {**named, "wait_seconds": 0, **BODIES.get(self.operation, {}), **changes}

    def send(self, http: httpx.Client, values: Json, headers: Mapping[str, str]) -> httpx.Response:
        """Send a request with the values; those that have no place in it are left out."""
        parts: dict[str, Json] = {"path": {}, "query": {}, "header": {**headers}, "body": {}}
        for name, place in self.places().items():
            if name in values:
                parts[place][name] = values[name]
        return http.request(
            self.method,
            self.path.format(**parts["path"]),
            params=parts["query"],
            headers=parts["header"],
            json=parts["body"] or None,
        )


def routes() -> Iterator[Route]:
    """List the routes of the document."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield Route(method.upper(), path, item[method])


def resolved(node: Json) -> Json:
    """Follow a reference into the document's components."""
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: Json = DOCUMENT["components"][kind][name]
    return found


def _fields(schema: Json) -> list[str]:
    schema = resolved(schema)
    ways = [name for way in schema.get("oneOf", []) for name in _fields(way)]
    return ways + list(schema.get("properties", {}))

"""What the running service answers is what the contract document says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from tests.hostile.routes import BODIES, DOCUMENT, Route, resolved, routes
from tests.support.api import Environment, Json, Resident, wait_until

SCHEMAS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]
REPLY_OF = {
    schema["example"]["operation"]: name
    for name, schema in SCHEMAS.items()
    if "operation" in schema.get("example", {})
}
ROUTES = {route.entry["operationId"]: route for route in routes()}


def closed(schema: Any) -> Any:
    """Write references out and close each object, so that an undocumented field is an error."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    schema = resolved(schema)
    if "allOf" in schema:
        return _merged([closed(part) for part in schema["allOf"]])
    last = {"additionalProperties": False} if "properties" in schema else {}
    return last | {key: closed(value) for key, value in schema.items() if key != "example"}


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {key: value for part in parts for key, value in part.items()}
    whole["properties"] = {k: v for part in parts for k, v in part.get("properties", {}).items()}
    return whole


def contradictions(reply: Json) -> list[str]:
    """List what the reply says that its schema doesn't, or the other way round."""
    validator = OAS30Validator(closed(SCHEMAS[REPLY_OF[reply["operation"]]]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(reply)]


def replies(env: Environment, resident: Resident) -> Iterator[Json]:
    """Ask for everything so that it is rejected, and for most so that it is done."""
    home, caller = resident.home.apartment, resident.caller
    bill = env.ledger.bill(resident.home)
    yield env.login(resident.username)
    yield env.login(resident.username, "Wrong-Passw0rd-1")
    yield caller.pay(home, bill)
    yield caller.pay(home, bill)
    yield caller.pay(home, str(uuid4()))
    yield caller.pay(home, env.ledger.bill(resident.home), expected_total_minor=1)
    for asking in (caller, env.resident("Eve").caller):
        for operation in {*REPLY_OF} - {"auth"}:
            yield asking.ask(f"/apartments/{home}/{operation}", BODIES[operation])


def test_each_reply_is_as_documented(env: Environment) -> None:
    found = list(replies(env, env.resident()))
    ended = {(one["operation"], one["status"]) for one in found}
    assert ended >= {(operation, "rejected") for operation in REPLY_OF}
    assert ended >= {
        (operation, "done") for operation in ("auth", "utils", "payments", "histories")
    }
    assert [(one, wrong) for one in found if (wrong := contradictions(one))] == []


@pytest.mark.parametrize("change", [{"part": "1"}, {"status": "maybe"}, {"surprise": 1}])
def test_a_reply_that_is_not_as_documented_would_be_noticed(change: Json) -> None:
    example = SCHEMAS["PaymentReply"]["example"]
    assert contradictions(example) == []
    assert contradictions({**example, **change}) != []


def linked(route: Route, values: Json, answer: Json) -> tuple[Route, Json]:
    """Follow the one link of an answer; return where it leads and the values there."""
    answers = route.entry["responses"].values()
    [link] = [link for one in answers for link in one.get("links", {}).values()]

    def value(expression: str) -> Any:
        source, _, path = expression.partition("#/")
        if source != "$response.body":
            return values[source.removeprefix("$request.path.")]
        found: Any = answer
        for name in path.split("/"):
            found = found[int(name) if name.isdigit() else name]
        return found

    parameters = {name: value(expression) for name, expression in link["parameters"].items()}
    return ROUTES[link["operationId"]], parameters


@pytest.mark.parametrize("name", [name for name, one in ROUTES.items() if one.method == "POST"])
def test_the_links_lead_from_a_request_to_its_reply_and_take_it_away(
    env: Environment, name: str
) -> None:
    resident, request = env.resident(), ROUTES[name]
    values = request.usual(apartment_id=resident.home.apartment)

    def ask(route: Route, values: Json) -> httpx.Response:
        return route.send(env.http, values, resident.caller.headers)

    accepted = ask(request, values).json()
    poll, where = linked(request, values, accepted)
    answer = wait_until(lambda: _with_replies(ask(poll, where)), "the reply")
    assert answer["replies"][0]["request_id"] == accepted["request_id"]
    assert ask(*linked(poll, where, answer)).status_code == 204


def _with_replies(polled: httpx.Response) -> Json:
    answer: Json = polled.json()
    return answer if answer["replies"] else {}

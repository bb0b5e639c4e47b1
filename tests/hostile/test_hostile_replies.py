"""Replies of the running service hold what the contract document says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from openapi_schema_validator import OAS30Validator

from tests.hostile.contract import published_document
from tests.support.api import Environment, Json, Resident

SCHEMAS: Mapping[str, Any] = published_document()["components"]["schemas"]
REPLY_OF = {
    "auth": "LoginReply",
    "utils": "DebtsReply",
    "payments": "PaymentReply",
    "histories": "HistoryReply",
}
NOTHING_HELD = {"date_up": None, "date_down": None}


def resolved(schema: Any) -> Any:
    """Write references out and close each object, so that an undocumented field is an error."""
    if isinstance(schema, list):
        return [resolved(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "allOf" in schema:
        return _merged([resolved(part) for part in schema["allOf"]])
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return closed | {key: resolved(value) for key, value in schema.items() if key != "example"}


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {key: value for part in parts for key, value in part.items()}
    whole["properties"] = {k: v for part in parts for k, v in part.get("properties", {}).items()}
    return whole


def contradictions(reply: Json) -> list[str]:
    """List what the reply says that its schema doesn't, or the other way round."""
    validator = OAS30Validator(resolved(SCHEMAS[REPLY_OF[reply["operation"]]]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(reply)]


def replies(env: Environment, resident: Resident) -> Iterator[Json]:
    """Ask for everything twice: once so that it is done, once so that it is rejected."""
    home, caller = resident.home.apartment, resident.caller
    bill = env.ledger.bill(resident.home)
    yield env.login(resident.username)
    yield env.login(resident.username, "Wrong-Passw0rd-1")
    yield caller.ask(f"/apartments/{home}/utils", {})
    yield caller.pay(home, bill)
    yield caller.pay(home, bill)
    yield caller.pay(home, str(uuid4()))
    yield caller.pay(home, env.ledger.bill(resident.home), expected_total_minor=1)
    yield caller.ask(f"/apartments/{home}/histories", NOTHING_HELD)
    for operation, body in (
        ("utils", {}),
        ("payments", {"bills_id": [bill]}),
        ("histories", NOTHING_HELD),
    ):
        yield env.resident("Eve").caller.ask(f"/apartments/{home}/{operation}", body)


def test_each_reply_is_as_documented(env: Environment) -> None:
    found = list(replies(env, env.resident()))
    assert {(one["operation"], one["status"]) for one in found} == {
        (operation, status) for operation in REPLY_OF for status in ("done", "rejected")
    }
    assert [(one, wrong) for one in found if (wrong := contradictions(one))] == []


@pytest.mark.parametrize("change", [{"part": "1"}, {"status": "maybe"}, {"surprise": 1}])
def test_a_reply_that_is_not_as_documented_would_be_noticed(change: Json) -> None:
    example = SCHEMAS["PaymentReply"]["example"]
    assert contradictions(example) == []
    assert contradictions({**example, **change}) != []

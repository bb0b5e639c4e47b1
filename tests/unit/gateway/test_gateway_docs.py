"""What is written about the contract is what the contract says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from tests.unit.gateway.tools import CONTRACT, DOCUMENT, QUEUE_NAME
from tools.local.gateway.health_and_docs import public_document

TREE = public_document(DOCUMENT)
SCHEMAS: dict[str, Any] = TREE["components"]["schemas"]


def test_every_error_code_that_is_answered_is_documented() -> None:
    written = set(re.findall(r'"code":"(\w+)"', DOCUMENT))
    assert written == set(SCHEMAS["Error"]["properties"]["code"]["enum"])


@pytest.mark.parametrize(
    "operation",
    [pytest.param(entry, id=entry.path) for entry in CONTRACT.operations if entry.method == "POST"],
)
def test_examples_of_bodies_are_accepted(operation: Any) -> None:
    content = TREE["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
    examples = [entry["value"] for entry in content.get("examples", {}).values()]
    examples += [content["example"]] if "example" in content else []
    assert examples
    for example in examples:
        accepts = operation.bodies["application/json"].is_valid
        assert accepts({**example, "queue_name": QUEUE_NAME})
        # Anybody can read the example, and its queue would hold the tokens of whoever copies it.
        copied = [str.lower(example["queue_name"]), str.upper(example["queue_name"])]
        assert [accepts({**example, "queue_name": name}) for name in copied] == (
            [operation.path != "/auth"] * 2
        )


@pytest.mark.parametrize("name", sorted(name for name in SCHEMAS if "example" in SCHEMAS[name]))
def test_examples_in_schemas_follow_them(name: str) -> None:
    schema = {"allOf": [SCHEMAS[name]], "components": TREE["components"]}
    OAS30Validator(schema).validate(SCHEMAS[name]["example"])

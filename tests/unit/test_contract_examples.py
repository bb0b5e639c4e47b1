"""The examples of replies in the contract are what the code answers and what their schemas say."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from chalicelib.operations import OPERATIONS
from tools.local.gateway.document import SOURCE, parse

DOCUMENT = parse(SOURCE.read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
REPLIES = sorted(name for name in SCHEMAS if name.endswith("Reply") and name != "Reply")


def problems(reply: dict[str, Any], name: str) -> list[str]:
    """Return what a schema of the contract says against a reply."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return [error.message for error in OAS30Validator(schema).iter_errors(reply)]


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
        assert problems(data, name.replace("Reply", "Data")) != [], field


@pytest.mark.parametrize("name", REPLIES)
def test_a_rejection_fits_with_and_without_data(name: str) -> None:
    rejected = {**SCHEMAS[name]["example"], "status": "rejected", "code": "invalid_request"}
    assert problems({**rejected, "data": None}, name) == []
    assert problems({**rejected, "data": {"fields": ["queue_name"]}}, name) == []

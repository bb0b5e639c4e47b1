"""Each operation of the contract document, asked with what its schemas allow and what they don't.

A failure prints the request as a curl command; the seed is fixed, so it comes again.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.hostile.service import NOT_FOR_SQS
from tests.support.api import Environment, Resident
from tests.unit.gateway.tools import DOCUMENT
from tools.local.gateway.document import parse

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CONFIG = {
    "seed": 20261122,
    "generation": {
        "deterministic": True,
        "max-examples": 25,
        # The test brings tokens of its own; the check ignored_auth takes them away again.
        "with-security-parameters": False,
    },
    "checks": {
        # API Gateway knows no 405: a method that a path lacks is an unknown route, 404.
        "unsupported_method": {"enabled": False},
        # DELETE takes one reply away; the queue that it was in may be polled again.
        "use_after_free": {"enabled": False},
    },
}
# What is deployed: the preflights, too.
SCHEMA = schemathesis.openapi.from_dict(
    parse(DOCUMENT), config=SchemathesisConfig.from_dict(CONFIG)
)


@SCHEMA.hook("filter_path_parameters")
def sqs_takes(context: HookContext, path_parameters: dict[str, Any] | None) -> bool:
    """Leave out what SQS rejects with 400.

    A schema of a path can't say so without rejecting apartments that read like unknown ones;
    test_hostile_requests.py has these.
    """
    values = (unquote(str(value)) for value in (path_parameters or {}).values())
    return not any(NOT_FOR_SQS.search(value) for value in values)


@pytest.fixture(scope="module")
def resident(stage: Environment) -> Resident:
    """Give somebody who asks, and whom nobody has answered yet."""
    return stage.resident()


@SCHEMA.parametrize()
def test_an_operation_keeps_its_contract(
    case: Case[Any], stage: Environment, resident: Resident
) -> None:
    if case.method == "GET" and UUID.fullmatch(str(case.path_parameters.get("queue_name", ""))):
        # The queue may exist and be empty.
        case.query = {**case.query, "wait_seconds": "0"}
    case.call_and_validate(
        base_url=stage.stack.base_url,
        headers=resident.caller.headers if case.operation.definition.raw.get("security") else {},
        # A made-up receipt is rejected rightly.
        excluded_checks=[positive_data_acceptance] if case.method == "DELETE" else [],
        timeout=30,
    )

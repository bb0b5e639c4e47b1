"""Each operation of the contract document, asked with what its schemas allow and what they don't.

A failure prints the request as a curl command; the seed is fixed, so it comes again.
"""

from __future__ import annotations

from typing import Any

import pytest
from schemathesis import Case

from tests.hostile.contract import (
    checks_to_leave_out,
    load,
    needs_token,
    poll_without_waiting,
    whole_document,
)
from tests.support.api import Environment, Resident

SCHEMA = load(whole_document(), max_examples=25)


@pytest.fixture(scope="module")
def resident(stage: Environment) -> Resident:
    """Give somebody who asks, and whom nobody has answered yet."""
    return stage.resident()


@SCHEMA.parametrize()
def test_an_operation_keeps_its_contract(
    case: Case[Any], stage: Environment, resident: Resident
) -> None:
    poll_without_waiting(case)
    case.call_and_validate(
        base_url=stage.stack.base_url,
        headers=resident.caller.headers if needs_token(case) else {},
        excluded_checks=checks_to_leave_out(case),
        timeout=30,
    )

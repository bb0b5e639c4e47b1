"""Functions, the contract's templates and the roles name reply queues alike.

Functions are packaged without Terraform's files and Terraform runs no Python, so each has the names
written down; here they are compared.
"""

from __future__ import annotations

import re

import pytest

from billing_app.adapters.reply_queues import reply_queue_prefixes
from tests.support.documents import ROOT, text_of

MODULES = ROOT / "terraform" / "modules"
KINDS = {name.removeprefix("bill") for name in reply_queue_prefixes(prefix="bill")}


def test_templates_name_the_queues_that_functions_make() -> None:
    document = text_of(MODULES / "api" / "openapi.yaml")
    assert set(re.findall(r"'\$\{prefix\}(-[a-z]+-)'", document)) == KINDS


@pytest.mark.parametrize("module", ["api", "functions"])
def test_roles_reach_the_queues_that_functions_make(module: str) -> None:
    roles = text_of(MODULES / module / "roles.tf")
    assert set(re.findall(r"queue_arn_prefix\}(-[a-z]+-)\*", roles)) == KINDS

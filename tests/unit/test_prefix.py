"""Terraform and the functions accept the same prefixes."""

from __future__ import annotations

import re

import pytest

from chalicelib.settings import is_prefix
from tests.support.terraform import TERRAFORM

VALID = ("b", "bill", "bill-prod", "b1-2-3", "a" * 12)
INVALID = ("", "1bill", "-bill", "bill-", "bill--x", "Bill", "bill_x", "bill\n", "a" * 13)


def terraform_accepts(prefix: str) -> bool:
    """Evaluate the condition of the root's variable, whose regular expression Python reads, too."""
    text = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
    condition = re.search(r'length\(var\.prefix\) <= (\d+) && can\(regex\("\^(.+?)\$", var', text)
    assert condition
    return len(prefix) <= int(condition[1]) and re.fullmatch(condition[2], prefix) is not None


@pytest.mark.parametrize("prefix", [*VALID, *INVALID])
def test_terraform_and_the_functions_accept_the_same_prefixes(prefix: str) -> None:
    assert is_prefix(prefix) == terraform_accepts(prefix) == (prefix in VALID)


def test_the_prefix_is_validated_once() -> None:
    modules = [file.read_text("utf-8") for file in TERRAFORM.glob("modules/*/variables.tf")]
    assert not any("regex" in text and ", var.prefix)" in text for text in modules)

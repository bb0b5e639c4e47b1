"""Terraform renders the document as the executor does."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.tools import CLIENT_ID, DOCUMENT, POOL_ID
from tools.local.gateway.document import SOURCE, parse

VARIABLES = {
    "prefix": "bill-test",
    "region": "eu-central-1",
    "account_id": "123456789012",
    "partition": "aws",
    "gateway_role_arn": "arn:aws:iam::123456789012:role/bill-test-gateway",
    "user_pool_arn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/" + POOL_ID,
    "user_pool_client_id": CLIENT_ID,
}


@pytest.fixture
def terraform() -> str:
    """The terraform binary; its absence is a failure in CI and loud elsewhere."""
    found = shutil.which("terraform")
    if found is None and os.environ.get("CI"):
        pytest.fail("CI needs terraform on the PATH")
    if found is None:
        pytest.skip("TERRAFORM IS NOT INSTALLED: nobody has checked that it renders openapi.yaml")
    return found


def evaluate(terraform: str, folder: Path, expression: str) -> Any:
    """Evaluate an expression in terraform's console, offline."""
    answer = subprocess.run(
        [terraform, "console"],
        cwd=folder,
        input=f"base64encode({expression})",
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return base64.b64decode(json.loads(answer.stdout)).decode()


def test_templatefile_gives_the_same_text_and_the_same_tree(terraform: str, tmp_path: Path) -> None:
    variables = json.dumps(VARIABLES)
    rendered = f'templatefile("{SOURCE}", {variables})'
    assert evaluate(terraform, tmp_path, rendered) == DOCUMENT
    as_json = evaluate(terraform, tmp_path, f"jsonencode(yamldecode({rendered}))")
    assert json.loads(as_json) == parse(DOCUMENT)

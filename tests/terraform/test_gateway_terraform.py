"""Terraform renders the document as the executor does."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.terraform import terraform_program
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


def evaluate(folder: Path, expression: str) -> Any:
    """Evaluate an expression in terraform's console, offline."""
    answer = subprocess.run(
        [terraform_program(), "console"],
        cwd=folder,
        input=f"base64encode({expression})",
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return base64.b64decode(json.loads(answer.stdout)).decode()


def test_templatefile_gives_the_same_text_and_the_same_tree(tmp_path: Path) -> None:
    variables = json.dumps(VARIABLES)
    rendered = f'templatefile("{SOURCE}", {variables})'
    assert evaluate(tmp_path, rendered) == DOCUMENT
    as_json = evaluate(tmp_path, f"jsonencode(yamldecode({rendered}))")
    assert json.loads(as_json) == parse(DOCUMENT)

"""Runs `chalice package`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.package.errors import PackagingError

# Chalice creates clients without calling anything; any region will do and no credentials are used.
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}
_STAGE = "package"


def run_chalice(*, project: Path, folder: Path) -> dict[str, Any]:
    """Package the project into `folder` as `deployment.zip`, and return its Terraform.

    Raises:
        PackagingError: Chalice failed; the message ends with what it said.
    """
    chalice = Path(sys.executable).with_name("chalice")
    ran = subprocess.run(  # noqa: S603 - our own tool with fixed arguments
        [chalice, "package", "--pkg-format", "terraform", "--stage", _STAGE, folder],
        cwd=project,
        env={**os.environ, **_ENVIRONMENT},
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0:
        raise PackagingError(f"chalice package failed:\n{ran.stderr.strip()[-2000:]}")
    definition: dict[str, Any] = json.loads((folder / "chalice.tf.json").read_text("utf-8"))
    return definition

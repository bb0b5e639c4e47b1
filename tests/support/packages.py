"""The package of the functions, built once in a run for all tests that look into it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tools.package.__main__ import PROJECT, build


@pytest.fixture(scope="session")
def built_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package as `make package` does; return the folder with zip and Terraform.

    The workers of a run share it; the first that needs it builds it. Runs share it that are given
    a folder by BUILT_PACKAGE.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(os.environ.get("BUILT_PACKAGE") or shared / "package")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "chalice.tf.json").exists():
            build(project=PROJECT, output=folder)
    return folder

"""The package of the functions, built once for all tests that look into it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tools.package.__main__ import PROJECT, build


@cache
def built_package() -> Path:
    """Build the package as `make package` does; return the folder with zip and Terraform."""
    folder = Path(tempfile.mkdtemp(prefix="billing-package-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(project=PROJECT, output=folder)
    return folder

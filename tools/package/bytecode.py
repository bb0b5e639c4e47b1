"""Compiles a folder to bytecode that Lambda will really use.

Python drops bytecode whose source has another date than it was compiled from, and all files of a
package are dated 1980 or have the date of unpacking, so ordinary bytecode is compiled again on
every cold start (and can't be stored: the folder is read-only). Unchecked hash-based bytecode is
taken as it is: https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.package.errors import PackagingError

INTERPRETER = f"python{sys.version_info.major}.{sys.version_info.minor}"


def check_runtime(runtime: str) -> None:
    """Check that this interpreter is the `runtime` of the functions, such as `python3.13`.

    Chalice names the interpreter it runs on as the runtime and picks libraries for it, and Lambda
    ignores bytecode of another version.

    Raises:
        PackagingError: it is another version.
    """
    if runtime != INTERPRETER:
        raise PackagingError(
            f"The functions run on {runtime} (terraform/service.json), but .venv has {INTERPRETER}."
            f" Get {runtime}, for example with `uv python install {runtime[6:]}`,"
            f' then run `make install PYTHON="$(uv python find {runtime[6:]})"`.'
        )


def compile_folder(folder: Path) -> None:
    """Write bytecode beside every module of `folder`.

    A fresh interpreter compiles: what this one has interned would show in the bytes.

    Raises:
        PackagingError: a module does not compile.
    """
    ran = subprocess.run(  # noqa: S603 - the same interpreter with fixed arguments
        [
            *(sys.executable, "-I", "-S", "-m", "compileall", "-q", "-f"),
            *("--invalidation-mode", "unchecked-hash"),
            # Tracebacks then name files as they are in Lambda, not as on this machine.
            *("-s", str(folder), "-p", "/var/task", str(folder)),
        ],
        env={"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0:
        raise PackagingError(f"A module does not compile:\n{ran.stdout.strip()[-2000:]}")

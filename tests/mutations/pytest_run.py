"""One run of pytest in a copy, and what it says about the bug in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.pytest_reporter import FOLDER_VARIABLE

# A test that hangs has noticed the bug: pytest fails it before the whole run times out.
_TEST_SECONDS = 30
# Only what the tests need: loading the rest takes longer than most of the runs.
_PLUGINS = (
    "pytest_timeout",
    "_hypothesis_pytestplugin",
    "xdist",
    "tests.mutations.pytest_reporter",
)


@dataclass(frozen=True, slots=True)
class PytestRun:
    """The outcome of a run of pytest. `code` is None when it timed out."""

    code: int | None
    seconds: float
    failed: tuple[str, ...]
    broken: tuple[str, ...]
    outside: tuple[str, ...]
    output: str

    @property
    def result(self) -> str:
        """`caught`, `survived`, or why the run proves neither."""
        if self.code is None:
            return "timed out"
        if self.outside:
            return "ran other code"
        if self.code == 0:
            return "survived"
        caught = self.code == 1 and self.failed and not self.broken
        return "caught" if caught else "broke the tests"


def run_tests(
    root: Path, tests: Sequence[str], *, seconds: float, database_url: str, workers: int = 0
) -> PytestRun:
    """Run the tests in the copy at `root` until the first failure, for at most `seconds`."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            # For the processes that tests start: their own folder is not always the copy's.
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "client")]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "DATABASE_URL_TESTS": database_url,
            FOLDER_VARIABLE: folder,
        }
        code, output = _run([*_pytest(root, workers), *tests], root, seconds, environment)
        reports = [json.loads(file.read_text("utf-8")) for file in Path(folder).iterdir()]
    found = {
        name: tuple(dict.fromkeys(one for report in reports for one in report[name]))
        for name in ("failed", "broken", "outside")
    }
    return PytestRun(code=code, seconds=time.monotonic() - started, output=output, **found)


def _pytest(root: Path, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "pytest", "-q", "-x", "--rootdir", str(root)),
        *("-c", str(root / "pyproject.toml"), "-o", f"timeout={_TEST_SECONDS}"),
        *("-p", "no:cacheprovider", "--hypothesis-profile", "ci"),
        *(part for name in _PLUGINS for part in ("-p", name)),
        *(("-n", str(workers), "--dist", "loadfile") if workers else ()),
    ]


def _run(
    command: Sequence[str], folder: Path, seconds: float, environment: dict[str, str]
) -> tuple[int | None, str]:
    """Return the exit code, None after a timeout, and the output."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, process.communicate()[0]
        return process.returncode, output

"""One run of pytest in a copy, and what it says about the bug in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tools.local.processes import spawn, stop

# A test that hangs has noticed the bug: pytest fails it before the whole run times out.
_TEST_SECONDS = 30
# Only what the tests need: loading the rest takes longer than most of the runs.
_PLUGINS = ("pytest_timeout", "_hypothesis_pytestplugin", "xdist")
_REPORT = "report.xml"


@dataclass(frozen=True, slots=True)
class PytestRun:
    """The outcome of a run of pytest. `code` is None when it timed out.

    `failed` are the tests that failed themselves, `broken` those whose fixtures or modules did:
    the exit code alone would take these for a bug that was noticed.
    """

    code: int | None
    seconds: float
    failed: tuple[str, ...]
    broken: tuple[str, ...]
    output: str

    @property
    def result(self) -> str:
        """`caught`, `survived`, or why the run proves neither."""
        if self.code is None:
            return "timed out"
        if self.code == 0:
            return "survived"
        caught = self.code == 1 and self.failed and not self.broken
        return "caught" if caught else "broke the tests"


def run_tests(
    root: Path,
    tests: Sequence[str],
    *,
    seconds: float,
    shared: Mapping[str, str] | None = None,
    workers: int = 0,
) -> PytestRun:
    """Run the tests in the copy at `root` until the first failure, for at most `seconds`.

    `shared` are variables of the environment that lead to what all runs share.
    """
    started = time.monotonic()
    environment = {
        **os.environ,
        **(shared or {}),
        # What isn't on this machine fails: a test that is skipped notices nothing.
        "CI": "true",
        # Before the checkout, which is installed as editable; for what tests start, too.
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "client")]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    code, output = _run([*_pytest(root, workers), *tests], root, seconds, environment)
    failed, broken = (_tests_with(outcome, root / _REPORT) for outcome in ("failure", "error"))
    return PytestRun(code, time.monotonic() - started, failed, broken, output)


def _pytest(root: Path, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "pytest", "-q", "-x", "--rootdir", str(root)),
        *("-c", str(root / "pyproject.toml"), "-o", f"timeout={_TEST_SECONDS}"),
        *("-p", "no:cacheprovider", "--hypothesis-profile", "ci"),
        *("--junitxml", str(root / _REPORT)),
        *(part for name in _PLUGINS for part in ("-p", name)),
        *(("-n", str(workers), "--dist", "loadfile") if workers else ()),
    ]


def _run(
    command: Sequence[str], folder: Path, seconds: float, environment: dict[str, str]
) -> tuple[int | None, str]:
    """Return the exit code, None after a timeout, and the output."""
    log = folder / "pytest.log"
    process = spawn(command, log=log, environment=environment, folder=folder)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
        stop(process, signal_number=signal.SIGKILL)
    return code, log.read_text("utf-8", "replace")


def _tests_with(outcome: str, report: Path) -> tuple[str, ...]:
    """Name the tests of a report with this outcome; a run that was killed has left none."""
    if not report.exists():
        return ()
    cases = ET.parse(report).findall(f".//testcase[{outcome}]")  # noqa: S314 - pytest wrote it
    return tuple(f"{case.get('classname')}::{case.get('name')}" for case in cases)

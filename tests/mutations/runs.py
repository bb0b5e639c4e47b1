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

from tests.mutations.witness import VARIABLE

# A test that hangs has noticed the bug: pytest fails it, before the run is given up.
_TEST_SECONDS = 30
# Only what the tests need: loading the rest takes longer than most of the runs.
_PLUGINS = ("pytest_timeout", "_hypothesis_pytestplugin", "xdist", "tests.mutations.witness")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of pytest came to. `code` is None when it took too long."""

    code: int | None
    seconds: float
    failed: tuple[str, ...]
    broken: tuple[str, ...]
    strays: tuple[str, ...]
    output: str

    @property
    def verdict(self) -> str:
        """`caught`, `survived`, or why the run proves neither."""
        if self.code is None:
            return "took too long"
        if self.strays:
            return "ran other code"
        if self.code == 0:
            return "survived"
        caught = self.code == 1 and self.failed and not self.broken
        return "caught" if caught else "broke the tests"


def run_tests(
    root: Path, tests: Sequence[str], *, seconds: float, database_url: str, workers: int = 0
) -> Run:
    """Run the tests in the copy at `root`, until the first one fails, for so many seconds."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as told:
        command = [sys.executable, "-m", "pytest", *_options(root, workers), *tests]
        code, output = _run(command, root, seconds, _environment(root, told, database_url))
        witnesses = [json.loads(file.read_text("utf-8")) for file in Path(told).iterdir()]
    found = {
        name: tuple(dict.fromkeys(one for witness in witnesses for one in witness[name]))
        for name in ("failed", "broken", "strays")
    }
    return Run(code=code, seconds=time.monotonic() - started, output=output, **found)


def _options(root: Path, workers: int) -> list[str]:
    plugins = [part for name in _PLUGINS for part in ("-p", name)]
    spread = ["-n", str(workers), "--dist", "loadfile"] if workers else []
    return [
        *("-q", "-x", "--rootdir", str(root), "-c", str(root / "pyproject.toml")),
        *("-p", "no:cacheprovider", "--hypothesis-profile", "ci", "-o", f"timeout={_TEST_SECONDS}"),
        *plugins,
        *spread,
    ]


def _environment(root: Path, told: str, database_url: str) -> dict[str, str]:
    # For the processes that tests start: their own folder is not always the copy's.
    ours = {
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "client")]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "DATABASE_URL_TESTS": database_url,
        VARIABLE: told,
    }
    return {**os.environ, **ours}


def _run(
    command: Sequence[str], folder: Path, seconds: float, environment: dict[str, str]
) -> tuple[int | None, str]:
    """Return the exit code, None when the time was over, and the output."""
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

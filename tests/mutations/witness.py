"""A pytest plugin that writes down what failed and where the code under test came from.

Exit codes alone would take an error in a fixture for a bug that was noticed. And the project is
installed as editable: a run that imported the checkout instead of the copy would prove nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

VARIABLE = "MUTANTS_WITNESS"
_OURS = {"app", "billing_app", "billing_client", "chalicelib", "tests", "tools"}

_failed: list[str] = []
_broken: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a test that failed from one whose fixtures did."""
    if report.failed:
        (_failed if report.when == "call" else _broken).append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what is known by now, each process into a file of its own."""
    told = {"failed": _failed, "broken": _broken, "strays": strays(session.config.rootpath)}
    file = Path(os.environ[VARIABLE]) / f"{os.getpid()}.json"
    file.write_text(json.dumps(told), encoding="utf-8")


def strays(root: Path) -> list[str]:
    """Name the modules of ours that were loaded from outside of the root."""
    loaded = {
        name: getattr(module, "__file__", None)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _OURS
    }
    return sorted(
        name for name, file in loaded.items() if file and not Path(file).is_relative_to(root)
    )

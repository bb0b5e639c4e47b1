"""A pytest plugin that reports what failed and where the code under test came from.

Exit codes alone would take an error in a fixture for a bug that was noticed. And the project is
installed as editable: a run that imported the checkout instead of the copy would prove nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

FOLDER_VARIABLE = "MUTATIONS_REPORT_FOLDER"
_OURS = {"app", "billing_app", "billing_client", "chalicelib", "tests", "tools"}

_failed: list[str] = []
_broken: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a test that failed from one whose fixtures did."""
    if report.failed:
        (_failed if report.when == "call" else _broken).append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report; each process of xdist writes its own file."""
    outside = modules_outside(session.config.rootpath)
    report = {"failed": _failed, "broken": _broken, "outside": outside}
    file = Path(os.environ[FOLDER_VARIABLE]) / f"{os.getpid()}.json"
    file.write_text(json.dumps(report), encoding="utf-8")


def modules_outside(root: Path) -> list[str]:
    """Return the project's modules that were loaded from outside of the root."""
    loaded = {
        name: getattr(module, "__file__", None)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _OURS
    }
    return sorted(
        name for name, file in loaded.items() if file and not Path(file).is_relative_to(root)
    )

"""What checkov says of the Terraform: nothing, but for skips that give their reason."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.support.terraform import ROOT, TERRAFORM, Terraform, missing, run

# It pins a boto3 of its own, so it has its own virtual environment.
CHECKOV = Path(os.environ.get("CHECKOV") or ROOT / ".venv" / "checkov" / "bin" / "checkov")
_SKIP = re.compile(r"#\s*checkov:skip=(?P<check>CKV\w+)(?::(?P<reason>.*))?$", re.MULTILINE)


def scan(folder: Path) -> dict[str, Any]:
    """Run checkov on a folder, offline, and return its report."""
    if not CHECKOV.is_file():
        missing("checkov", advice="Run `make verify`, which installs it.")
    output = run(
        [
            *(str(CHECKOV), "--directory", ".", "--framework", "terraform"),
            *("--skip-download", "--quiet", "--soft-fail", "--output", "json"),
        ],
        folder=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    report: dict[str, Any] = json.loads(output[output.index("{") : output.rindex("}") + 1])
    return report


def test_checkov_finds_nothing(built_package: Path, tmp_path: Path) -> None:
    report = scan(Terraform(folder=tmp_path, package=built_package).tree)
    failed = {
        f"{check['check_id']} {check['resource']}" for check in report["results"]["failed_checks"]
    }
    assert failed == set()
    assert report["summary"]["passed"] > 400
    assert report["summary"]["parsing_errors"] == 0


def test_every_skip_of_a_check_has_a_reason() -> None:
    skips = [
        (file.name, skip["check"], (skip["reason"] or "").strip())
        for file in TERRAFORM.rglob("*.tf")
        for skip in _SKIP.finditer(file.read_text(encoding="utf-8"))
    ]
    assert skips != []
    assert [skip for skip in skips if len(skip[2].split()) < 5] == []

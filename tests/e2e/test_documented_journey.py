"""The journey of docs/api.md, word by word, on the running service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.documents import ROOT, blocks_of
from tools.local.stack import Stack


def test_the_journey_with_curl_runs_as_it_is_written(stack: Stack, tmp_path: Path) -> None:
    [journey] = blocks_of(ROOT / "docs" / "api.md", "bash")
    (tmp_path / ".local").symlink_to(stack.state)
    script = journey.text.replace("http://127.0.0.1:8000", stack.base_url)
    assert script != journey.text
    ran = subprocess.run(
        # S607: the reader's own bash, wherever it is, as in their terminal.
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    totals, payment = map(json.loads, ran.stdout.splitlines())
    assert {total["currency"] for total in totals} == {"EUR"}
    assert (payment["status"], len(payment["lines"])) == ("settled", 1)

"""The report as a file: what was asked, where it ran, what came of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FORMAT = 1
SCHEMA = Path(__file__).with_name("report.schema.json")


def report(
    kind: str, *, settings: Json, runs: Sequence[Json], comparisons: Sequence[Json] = ()
) -> Json:
    """Return the whole report, as ``report.schema.json`` describes it."""
    return {
        "format": FORMAT,
        "kind": kind,
        "day": datetime.now(UTC).date().isoformat(),
        "environment": environment(),
        "settings": settings,
        "runs": list(runs),
        "comparisons": list(comparisons),
    }


def environment() -> Json:
    """Return facts about this machine that don't name it or its user."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "hdrhistogram": version("hdrhistogram"),
    }


def write(content: Json, file: Path) -> None:
    """Write a report, for its reader and for programs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

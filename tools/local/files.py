"""Small files of the state folder, written whole or not at all, for their owner only."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import psutil


def write_private(path: Path, content: bytes) -> None:
    """Write the file in one step, mode 0600: a reader sees the old content or the new."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(name).replace(path)


def write_private_json(path: Path, content: Any) -> None:
    """Write the file as `write_private` does, for people to read."""
    write_private(path, f"{json.dumps(content, indent=2, ensure_ascii=False)}\n".encode())


def read_json(path: Path) -> Any:
    """Read the file; None when there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def mark_ready(file: Path | None) -> None:
    """Say in a file that this process is ready; None when nobody asked."""
    if file is not None:
        write_private_json(file, {"pid": os.getpid()})


def is_ready(file: Path) -> bool:
    """Tell whether the process that wrote the file is alive."""
    content = read_json(file)
    return content is not None and psutil.pid_exists(content["pid"])

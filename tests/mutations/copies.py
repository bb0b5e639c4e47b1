"""Copies of what is checked out: a bug is never planted in the checkout itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked_files(root: Path = ROOT) -> list[str]:
    """List what git knows and is there, as paths from the root."""
    answer = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the developer's own git
        cwd=root,
        capture_output=True,
        check=True,
        text=True,
    )
    names = answer.stdout.split("\0")
    return [name for name in names if name and (root / name).exists()]


def copy_tracked(into: Path, root: Path = ROOT) -> Path:
    """Copy the tracked files as they are now, edited or not; links stay links."""
    for name in tracked_files(root):
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)
    return into


def copy_again(copy: Path, into: Path) -> Path:
    """Copy a copy, with the bytecode that it has by now."""
    return Path(shutil.copytree(copy, into, symlinks=True))

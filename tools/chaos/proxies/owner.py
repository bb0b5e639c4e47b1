"""Which process holds the other end of a connection."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_ESTABLISHED = "01"
_PROC = Path("/proc")


def owner_of(port: int) -> int | None:
    """Return the id of the process whose connected socket has this local TCP port.

    None when it is gone. Bytes wait meanwhile, so it looks for the one socket; psutil would list
    the thousands that a busy machine has.
    """
    inode = _inode_of(port)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    return next((pid for pid in _processes() if wanted in _open_files(pid)), None)


def _inode_of(port: int) -> str | None:
    """Find the socket in the kernel's table: local and remote address, state, ..., inode."""
    ending = f":{port:04X}"
    for line in (_PROC / "net" / "tcp").read_text().splitlines():
        if ending in line:
            _, local, _, state, *rest = line.split()
            if local.endswith(ending) and state == _ESTABLISHED:
                return rest[5]
    return None


def _processes() -> Iterator[int]:
    # The newest first: workers are younger than most of a machine's processes.
    yield from sorted(
        (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()), reverse=True
    )


def _open_files(pid: int) -> set[str]:
    folder = _PROC / str(pid) / "fd"
    with contextlib.suppress(OSError):
        return {_target(file) for file in folder.iterdir()}
    # Gone, or not ours to look into.
    return set()


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        # Closed in this moment.
        return ""

"""How a worker says that it is ready: a file with its process id."""

import os
from pathlib import Path

from tools.local.files import read_json, write_private_json


def mark_ready(file: Path | None) -> None:
    """Say that this process is ready; None when nobody asked."""
    if file is not None:
        write_private_json(file, {"pid": os.getpid()})


def is_ready(file: Path) -> bool:
    """Tell whether the process that wrote the file is alive."""
    content = read_json(file)
    return content is not None and is_alive(content["pid"])


def is_alive(pid: int) -> bool:
    """Tell whether a process of this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

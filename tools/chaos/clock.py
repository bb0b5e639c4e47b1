"""A clock that can be stepped, for real processes: libfaketime, preloaded, reads it from a file.

https://github.com/wolfcw/libfaketime
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import psutil

from tools.local.errors import LocalStackError

# Where the library puts what it shares with its children, named after the process.
_SHARED = Path("/dev/shm")  # noqa: S108
_LEFTOVERS = "*faketime_s*_*"


class Clock:
    """The offset that the processes with `variables` in their environment see, in seconds.

    Only the time of day moves; what measures how long something takes goes on evenly, as it does
    when an administrator or NTP sets a machine's clock.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.chmod(0o755)
        self._file = folder / "offset"
        self._library = folder / "libfaketime.so.1"
        shutil.copyfile(_library_of_wheel(), self._library)
        self._library.chmod(0o755)
        self.set(0)

    def set(self, seconds: int) -> None:
        """Step the clock to so many seconds from the true time."""
        # In one step: a reader must not find half a number.
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.chmod(0o644)
        new.replace(self._file)

    @property
    def variables(self) -> dict[str, str]:
        """Environment of a process that is to look at this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else files would change their age, and Python compile its modules anew.
            "NO_FAKE_STAT": "1",
        }


def clean_up() -> None:
    """Remove what the library left in shared memory for processes that were killed.

    Of whichever run they were: nobody can use it any more.
    """
    for file in _SHARED.glob(_LEFTOVERS):
        pid = file.name.rpartition("_")[2]
        if (
            pid.isdecimal()
            and not psutil.pid_exists(int(pid))
            and file.stat().st_uid == os.geteuid()
        ):
            file.unlink(missing_ok=True)


def _library_of_wheel() -> Path:
    # Only looked for, not imported: on import it patches what it finds.
    found = importlib.util.find_spec("libfaketime")
    folder = Path(found.origin).parent if found and found.origin else Path(os.devnull)
    library = folder / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    if not library.exists():
        raise LocalStackError(
            "The Python package libfaketime is not installed. Run `make install`."
        )
    return library

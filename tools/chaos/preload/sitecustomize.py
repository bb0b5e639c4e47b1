"""Gives workers, and no other process of the service, a clock that can be stepped.

Python imports this before anything else where its folder stands on PYTHONPATH. A library has to be
preloaded when a process starts, so a worker starts once more, with the same id.
"""

from __future__ import annotations

import os
import sys

_PREFIX = "CHAOS_"

if "tools.local.worker" in sys.orig_argv and "LD_PRELOAD" not in os.environ:
    clock = {k.removeprefix(_PREFIX): v for k, v in os.environ.items() if k.startswith(_PREFIX)}
    if clock:
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **clock})  # noqa: S606

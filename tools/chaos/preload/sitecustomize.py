"""Gives workers, and nobody else of the service, a clock that can be stepped.

Python imports this before anything else where its folder stands on PYTHONPATH. A library has to
be preloaded when a process starts, so a worker starts once more, with the same id.
"""

import os
import sys

if "tools.local.worker" in sys.orig_argv and "LD_PRELOAD" not in os.environ:
    marked = {name: value for name, value in os.environ.items() if name.startswith("TORTURE_")}
    clock = {name.removeprefix("TORTURE_"): value for name, value in marked.items()}
    if clock:
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **clock})  # noqa: S606

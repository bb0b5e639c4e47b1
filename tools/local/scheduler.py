"""Calls a function on a schedule, as EventBridge does: ``python -m tools.local.scheduler``."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.local.lambda_events import LambdaContext, scheduled_event
from tools.local.ready import mark_ready
from tools.local.worker import Function, load_function, stop_on_sigterm

log = logging.getLogger("tools.local.scheduler")


def call_once(function: Function, *, name: str, region: str, timeout_seconds: float) -> None:
    """Call the function; a failure is logged, and the next turn comes all the same."""
    context = LambdaContext(function_name=name, region=region, timeout_seconds=timeout_seconds)
    signal.setitimer(signal.ITIMER_REAL, timeout_seconds)
    try:
        function(scheduled_event(rule=name, region=region), context)
    except Exception:
        # Whatever it raises is the function's failure; the schedule goes on.
        log.exception("%s failed", name)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.local.scheduler")
    parser.add_argument("--function", default="sweep")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two calls")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds a call may take")
    parser.add_argument("--ready-file", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the process until SIGTERM."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    function = load_function(options.function)
    ended = threading.Event()
    stop_on_sigterm(ended.set)
    mark_ready(options.ready_file)
    region = os.environ["AWS_REGION"]
    while not ended.wait(options.every):
        call_once(function, name=options.function, region=region, timeout_seconds=options.timeout)


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m tests.matrix.prefork_server`: imports everything once and forks workers.

A worker starts at once then, without the two seconds of its imports. Each line of input is a JSON
object `{"arguments", "environment", "log"}`; the answer is the worker's process id. The worker runs
the service as it is shipped; nothing was connected before the fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any

import boto3

from tools.local import worker
from tools.local.launch import die_with

_SERVICES: Any = ("sqs", "secretsmanager", "cognito-idp")


def main() -> None:
    """Fork workers until the input ends."""
    worker.load_function("payments")
    for service in _SERVICES:
        # Reads the description of the service, which all clients then share.
        boto3.client(service)
    # Nobody waits for the workers: the kernel is to forget them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        options, parent = json.loads(line), os.getpid()
        child = os.fork()
        if child == 0:
            _become_worker(options, parent)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _become_worker(options: dict[str, Any], parent: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with(parent, signal.SIGKILL)
    log = os.open(options["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.clear()
    os.environ.update(options["environment"])
    code = 1
    try:
        worker.main(options["arguments"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

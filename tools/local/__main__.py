"""`python -m tools.local up | status | down | invoke`: run the whole service on this machine."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import click
import psutil

from tools.console import Console, fail
from tools.local.cloud import environment, read_cloud
from tools.local.errors import LocalStackError
from tools.local.health import check_health
from tools.local.settings import read_settings
from tools.local.state import StateFolder
from tools.local.supervisor import Supervisor
from tools.local.worker import call, load_function

_DOWN_SECONDS = 40.0
_INVOKE_SECONDS = 900.0


@click.group()
def main() -> None:
    """Run the utilities billing service on this machine."""


@main.command()
def up() -> None:
    """Start everything on 127.0.0.1 (PORT, default 8000); Ctrl-C ends it."""
    Supervisor(read_settings(), Console()).run()


@main.command()
def status() -> None:
    """Show which parts run; exit code 1 unless all are ready."""
    console, state = Console(), read_settings().state
    parts = check_health(state)
    rows = [(part, "yes" if ready else "no") for part, ready in parts.items()]
    console.table("", ("Part", "Ready"), rows)
    if not all(parts.values()):
        sys.exit(1)
    cloud = read_cloud(state)
    console.text(f"\n{cloud.api}")
    console.table("", ("Process", "Id"), list(cloud.pids.items()), numbers=("Id",))


@main.command()
def down() -> None:
    """End a service that runs in another terminal, and wait until it is gone."""
    folder = StateFolder(read_settings().state)
    pid = folder.holder()
    if not pid:
        raise LocalStackError(f"Nothing runs on {folder.path}.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    while folder.holder() == pid and psutil.pid_exists(pid):
        if time.monotonic() > deadline:
            raise LocalStackError(f"Process {pid} has not ended after {_DOWN_SECONDS:.0f} s.")
        time.sleep(0.1)


@main.command()
@click.argument("function")
@click.argument("event", default="{}")
def invoke(function: str, event: str) -> None:
    """Call FUNCTION of app.py once, with its environment and EVENT (JSON); print its answer."""
    os.environ.update(environment(function))
    answer = call(
        load_function(function),
        json.loads(event),
        name=function,
        timeout_seconds=_INVOKE_SECONDS,
    )
    click.echo(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(prog_name="python -m tools.local")
    except LocalStackError as error:
        fail(str(error))
        sys.exit(1)

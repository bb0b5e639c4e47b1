"""The commands of ``python -m tools.local``: up, status, down."""

import os
import signal
import sys
import time

import click
from rich.console import Console
from rich.table import Table

from tools.local.cloud import read_cloud
from tools.local.errors import LocalCloudError
from tools.local.health import check_health
from tools.local.ready import is_alive
from tools.local.settings import read_settings
from tools.local.show import Show, fail
from tools.local.state import StateFolder
from tools.local.supervisor import Supervisor

_DOWN_SECONDS = 40.0


@click.group()
def main() -> None:
    """Run the utilities billing service on this machine."""


@main.command()
def up() -> None:
    """Start everything on 127.0.0.1 (PORT, default 8000); Ctrl-C ends it."""
    Supervisor(read_settings(), Show()).run()


@main.command()
def status() -> None:
    """Show which parts run; exit code 1 unless all are ready."""
    settings = read_settings()
    health = check_health(settings.state)
    table = Table("Part", "Ready")
    for part, ready in health.parts.items():
        table.add_row(part, "yes" if ready else "no")
    Console().print(table)
    if not health.ready:
        sys.exit(1)
    cloud = read_cloud(settings.state)
    processes = Table("Process", "Id", title=cloud.api, title_justify="left")
    for name, pid in cloud.pids.items():
        processes.add_row(name, str(pid))
    Console().print(processes)


@main.command()
def down() -> None:
    """End a service that runs in another terminal, and wait until it is gone."""
    folder = StateFolder(read_settings().state)
    pid = folder.holder()
    if not pid:
        raise LocalCloudError(f"Nothing runs on {folder.path}.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    while folder.holder() == pid and is_alive(pid):
        if time.monotonic() > deadline:
            raise LocalCloudError(f"Process {pid} has not ended after {_DOWN_SECONDS:.0f} s.")
        time.sleep(0.1)


def run() -> None:
    """Run the command; what keeps it from working is said in a sentence, with exit code 1."""
    try:
        main(prog_name="python -m tools.local")
    except LocalCloudError as error:
        fail(str(error))
        sys.exit(1)

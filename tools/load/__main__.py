"""The command `python -m tools.load`; see docs/load.md.

Exit codes: 0 all went well; 1 it could not be run, a request was lost or the ledger is wrong; 2
wrong usage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tools.console import Console
from tools.load.report import show
from tools.load.run import Settings, run
from tools.load.target import own_stack, running_service
from tools.load.workload import parse_mix
from tools.local.errors import LocalStackError


@click.command()
@click.option("--rate", type=click.FloatRange(0.01), help="Operations a second: an open loop.")
@click.option(
    "--think", type=click.FloatRange(0), default=0.5, show_default=True, help="In a closed loop."
)
@click.option(
    "--mix",
    default="debts=5,sync=3,pay=2,login=1",
    show_default=True,
    callback=lambda _context, _option, text: parse_mix(text),
)
@click.option("--users", type=click.IntRange(1), default=12, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True)
@click.option("--timeout", type=click.FloatRange(1), default=60.0, show_default=True)
@click.option("--seed", default="1", show_default=True)
@click.option("--url", help="A running service; the default is a local stack of its own.")
@click.option(
    "--credentials",
    type=click.Path(path_type=Path, exists=True),
    help="JSON with residents, as .local/demo.json; goes with --url.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/load/report.json"))
def main(url: str | None, credentials: Path | None, out: Path, **options: Any) -> None:
    """Put load on the service through its client.

    Users call, wait for the answer and think: a closed loop. With a rate, operations arrive
    whether or not the earlier ones are answered: an open loop.
    """
    if (url is None) != (credentials is None):
        raise click.UsageError("--url and --credentials go together.")
    try:
        with running_service(url, credentials) if url and credentials else own_stack() as target:
            report = {"settings": options, **run(target, Settings(**options))}
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    console = Console()
    show(report, console)
    console.text(f"Report: {out}")
    if not report["ledger"]["holds"]:
        raise click.ClickException("A request was lost or the ledger is wrong; see the report.")


if __name__ == "__main__":
    main(prog_name="python -m tools.load")

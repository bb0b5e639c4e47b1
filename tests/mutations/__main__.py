"""`python -m tests.mutations [NAME ...]`: plant each bug in a copy; see README.md beside this file.

Exit codes: 0 every mutation was caught; 1 one was not, or its run proves nothing; 2 the tests fail
without any bug, the catalogue doesn't fit the code, or a name is unknown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from rich.console import Console
from rich.markup import escape

from tests.mutations.catalogue import CATALOGUE
from tests.mutations.mutation import DoesNotFit, Mutation
from tests.mutations.pytest_run import PytestRun
from tests.mutations.run import run_mutations

_LAST_LINES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations")
    parser.add_argument("names", nargs="*", help="only these (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {mutation.name for mutation in CATALOGUE}:
        parser.error(f"no such mutation: {', '.join(sorted(unknown))}")
    mutations = [one for one in CATALOGUE if not options.names or one.name in options.names]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    try:
        return _run(console, mutations, options.jobs)
    except DoesNotFit as problem:
        console.print(f"[red]{escape(str(problem))}[/red]", soft_wrap=True)
        return 2


def _run(console: Console, mutations: Sequence[Mutation], jobs: int) -> int:
    started = time.monotonic()
    with closing(run_mutations(mutations, jobs)) as runs:
        told, clean = next(runs)
        if clean.code != 0:
            console.print("[red]The tests fail without any bug[/red]")
            _print_output(console, clean)
            return 2
        console.print(f"[green]✓[/green] {told} all tests pass {clean.seconds:.1f} s")
        caught = 0
        for told, bad in runs:
            _print_run(console, told, bad)
            caught += bad.result == "caught"
    seconds = time.monotonic() - started
    console.print(f"\n{caught} of {len(mutations)} mutations caught after {seconds:.0f} s")
    return 0 if caught == len(mutations) else 1


def _print_run(console: Console, told: str, run: PytestRun) -> None:
    if run.result == "caught":
        by = f"by {escape(run.failed[0])}, {run.seconds:.1f} s"
        console.print(f"[green]✓[/green] {told} [dim]{by}[/dim]", soft_wrap=True)
        return
    console.print(f"[red]✗ {told} {run.result}[/red] [dim]{run.seconds:.1f} s[/dim]")
    _print_output(console, run)


def _print_output(console: Console, run: PytestRun) -> None:
    console.print(escape("\n".join(run.output.splitlines()[-_LAST_LINES:])), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())

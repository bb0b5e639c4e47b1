"""`python -m tests.mutations [NAME ...]`: plant each bug in a copy; see README.md beside this file.

Exit codes: 0 every mutation was caught; 1 one was not, or its run proves nothing; 2 the tests fail
without any bug, the catalogue doesn't fit the code, or a name is unknown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutations.catalogue import CATALOGUE
from tests.mutations.mutation import DoesNotFit, Mutation
from tests.mutations.pytest_run import PytestRun
from tests.mutations.run import mutation_run

_LAST_LINES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutations and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations")
    parser.add_argument("names", nargs="*", help="only these (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    mutations = [one for one in CATALOGUE if not options.names or one.name in options.names]
    unknown = set(options.names) - {mutation.name for mutation in CATALOGUE}
    if unknown:
        console.print(f"[red]no such mutation:[/red] {', '.join(sorted(unknown))}")
        return 2
    try:
        return _run(console, mutations, options.jobs)
    except DoesNotFit as problem:
        console.print(f"[red]{escape(str(problem))}[/red]", soft_wrap=True)
        return 2


def _run(console: Console, mutations: Sequence[Mutation], jobs: int) -> int:
    started = time.monotonic()
    with mutation_run(jobs) as run:
        clean = run.without_bugs(mutations)
        if clean.code != 0 or clean.outside:
            console.print("[red]The tests fail without any bug[/red]")
            _print_output(console, clean)
            return 2
        console.print(f"[green]✓[/green] without any bug all tests pass {clean.seconds:.1f} s")
        runs = run.with_each(mutations, lambda one, run: _print_run(console, one, run))
    _print_table(console, mutations, runs)
    caught = sum(run.result == "caught" for run in runs.values())
    seconds = time.monotonic() - started
    console.print(f"\n{caught} of {len(runs)} mutations caught after {seconds:.0f} s")
    return 0 if caught == len(runs) else 1


def _print_run(console: Console, mutation: Mutation, run: PytestRun) -> None:
    if run.result == "caught":
        console.print(f"[green]✓[/green] {mutation.name} [dim]{run.seconds:.1f} s[/dim]")
        return
    console.print(f"[red]✗ {mutation.name} {run.result}[/red] [dim]{run.seconds:.1f} s[/dim]")
    _print_output(console, run)


def _print_output(console: Console, run: PytestRun) -> None:
    lines = [*run.outside, *run.output.splitlines()[-_LAST_LINES:]]
    console.print(escape("\n".join(lines)), soft_wrap=True)


def _print_table(
    console: Console, mutations: Sequence[Mutation], runs: Mapping[str, PytestRun]
) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("mutation", "endangers", "result", "by", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for mutation in mutations:
        run = runs[mutation.name]
        by = run.failed[0].rpartition("/")[-1] if run.failed else ""
        row = (mutation.name, " ".join(mutation.endangers), run.result, by, f"{run.seconds:.1f}")
        table.add_row(*map(escape, row))
    console.print()
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

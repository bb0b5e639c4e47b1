"""`python -m tests.mutations [NAME ...]`: plant each bug in a copy; see README.md beside this file.

Exit codes: 0 every mutant was caught; 1 one was not, or its run proves nothing; 2 the tests fail
without any bug, the catalogue doesn't fit the code, or a name is unknown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutations.catalogue import CATALOGUE
from tests.mutations.hunt import clock, hunting
from tests.mutations.mutant import DoesNotFit, Mutation
from tests.mutations.runs import Run

_LAST_LINES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Hunt, and return the exit code."""
    options = _options(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    mutants = [one for one in CATALOGUE if not options.names or one.name in options.names]
    unknown = set(options.names) - {mutant.name for mutant in CATALOGUE}
    if unknown:
        console.print(f"[red]no such mutant:[/red] {', '.join(sorted(unknown))}")
        return 2
    try:
        return _hunt(console, mutants, options.jobs)
    except DoesNotFit as problem:
        console.print(f"[red]{escape(str(problem))}[/red]", soft_wrap=True)
        return 2


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations")
    parser.add_argument("names", nargs="*", help="only these (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    return parser.parse_args(arguments)


def _hunt(console: Console, mutants: Sequence[Mutation], jobs: int) -> int:
    elapsed = clock()
    with hunting(jobs) as hunt:
        hunt.check(mutants)
        clean = hunt.without_bugs(mutants)
        if clean.code != 0 or clean.strays:
            console.print(f"[red]The tests fail without any bug[/red] {', '.join(clean.strays)}")
            _quote(console, clean)
            return 2
        console.print(f"[green]✓[/green] without any bug all tests pass {_took(clean)}")
        runs = hunt.with_each(mutants, lambda mutant, run: _tell(console, mutant, run))
    _table(console, mutants, runs)
    caught = sum(run.verdict == "caught" for run in runs.values())
    console.print(f"\n{caught} of {len(runs)} mutants caught after {elapsed():.0f} s")
    return 0 if caught == len(runs) else 1


def _tell(console: Console, mutant: Mutation, run: Run) -> None:
    if run.verdict == "caught":
        console.print(f"[green]✓[/green] {mutant.name} {_took(run)}")
        return
    console.print(f"[red]✗ {mutant.name} {run.verdict}[/red] {_took(run)}")
    _quote(console, run)


def _quote(console: Console, run: Run) -> None:
    lines = [*run.strays, *run.output.splitlines()[-_LAST_LINES:]]
    console.print(escape("\n".join(lines)), soft_wrap=True)


def _took(run: Run) -> str:
    return f"[dim]{run.seconds:.1f} s[/dim]"


def _table(console: Console, mutants: Sequence[Mutation], runs: Mapping[str, Run]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("mutant", "endangers", "verdict", "by", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for mutant in mutants:
        run = runs[mutant.name]
        by = run.failed[0].rpartition("/")[-1] if run.failed else ""
        row = (mutant.name, " ".join(mutant.endangers), run.verdict, by, f"{run.seconds:.1f}")
        table.add_row(*map(escape, row))
    console.print()
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

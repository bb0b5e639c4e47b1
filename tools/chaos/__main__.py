"""`python -m tools.chaos`: inject faults into the running service and check it; see docs/chaos.md.

Exit codes: 0 every invariant holds; 1 one was broken, or there was nothing to check it on; 2 the
run could not take place, or the arguments are wrong; 130 interrupted.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.chaos.checker import Result, render
from tools.chaos.faults import FAULTS
from tools.chaos.run import Options, Run
from tools.console import Console
from tools.local.errors import LocalStackError
from tools.local.settings import REPOSITORY

# I12 compares two kinds of reads; a short run, or one without Redis's faults, has too few.
_MAY_BE_VACUOUS = ("I12",)
# A whole round of the schedule.
_WHOLE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit code."""
    parsed = _parsed(arguments)
    options = Options(parsed.seconds, parsed.seed, tuple(parsed.only))
    console, folder = Console(), parsed.folder.resolve()
    console.say(f"Seed {options.seed}", style="bold")
    try:
        _clear(folder)
        code = _report(Run(folder, options, console).result(), options, console)
    except LocalStackError as error:
        console.say(f"{error}", style="red")
        code = 2
    except KeyboardInterrupt:
        console.say("Interrupted.", style="red")
        code = 130
    if code:
        console.say(f"Everything of this run is in {folder}")
        console.say(f"Again: {command(options)}", style="bold")
    return code


def command(options: Options) -> str:
    """Return the command that replays a run: same faults, same choices of the clients."""
    only = "".join(f" --only {name}" for name in options.only)
    shape = f"--seed {options.seed} --seconds {options.seconds:g}"
    return f"python -m tools.chaos {shape}{only}"


def _report(result: Result, options: Options, console: Console) -> int:
    console.text(str(result))
    console.text(f"Faults that took effect, of those that began: {result.struck}")
    if options.seconds >= _WHOLE_SECONDS and (missing := _never_struck(result, options)):
        console.say(f"Never took effect: {', '.join(missing)}.", style="bold yellow")
    for violation in result.smallest:
        console.text(f"\n{render(violation)}")
    if result.violations:
        console.say(f"An invariant was broken, with seed {options.seed}.", style="bold red")
        return 1
    unchecked = [name for name in result.vacuous if name not in _MAY_BE_VACUOUS]
    if unchecked and not options.only:
        console.say(f"There was nothing to check {', '.join(unchecked)} on.", style="bold red")
        return 1
    console.say(f"Every invariant holds, with seed {options.seed}.", style="bold green")
    return 0


def _never_struck(result: Result, options: Options) -> list[str]:
    """Name the faults, each in all ways that a round needs, which no request met."""
    kinds = (one for name, one in FAULTS.items() if not options.only or name in options.only)
    struck = [name for name, counts in result.strikes.items() if any(counts)]
    named = ((k.name, [f"{k.name} {v}".strip() for v in k.variants], k.needs_all) for k in kinds)
    missing = []
    for name, ways, needs_all in named:
        left = [way for way in ways if way not in struck]
        missing += left if needs_all else [name] * (left == ways)
    return missing


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=30.0, help="how long faults strike (default 30)")
    add("--seed", type=int, default=secrets.randbelow(2**32), help="replays a run's choices")
    only = "this fault alone; may be repeated"
    add("--only", action="append", default=[], choices=sorted(FAULTS), metavar="FAULT", help=only)
    folder = "where the run keeps its files (default build/chaos)"
    add("--folder", type=Path, default=REPOSITORY / "build" / "chaos", help=folder)
    return parser.parse_args(arguments)


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier run; any other folder must be empty already."""
    known = (folder / "history.jsonl").exists()
    if folder.exists() and any(folder.iterdir()) and not known:
        raise LocalStackError(f"{folder} holds something else; name another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())

"""``python -m tools.chaos``: let faults strike the running service and judge it; see docs/chaos.md.

Exit codes: 0 every promise was kept; 1 one was broken, or nothing was there to judge it on; 2 the
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

from tools.chaos.errors import NotPrepared, NotStarted
from tools.chaos.faults import FAULTS
from tools.chaos.judge import Verdict, render
from tools.chaos.run import Run, Wishes
from tools.chaos.show import Show
from tools.local.errors import LocalCloudError
from tools.local.settings import REPOSITORY

# I12 compares two kinds of reads; a short run, or one without Redis's faults, has too few.
_MAY_BE_VACUOUS = ("I12",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit code."""
    options = _options(arguments)
    wishes = Wishes(options.seconds, options.seed, tuple(options.only), options.clients)
    show, folder = Show(), options.folder.resolve()
    show.say(f"Seed {wishes.seed}", style="bold")
    try:
        _clear(folder)
        verdict = Run(folder, wishes, show).judged()
    except (NotPrepared, NotStarted, LocalCloudError) as error:
        show.say(f"{error}", style="red")
        code = 2
    except KeyboardInterrupt:
        show.say("Interrupted.", style="red")
        code = 130
    else:
        code = _tell(verdict, wishes, show)
    if code:
        show.say(f"Everything of this run is in {folder}")
        show.say(f"Again: {command(wishes)}", style="bold")
    return code


def command(wishes: Wishes) -> str:
    """Return the command that replays a run: same faults, same choices of the clients."""
    only = "".join(f" --only {name}" for name in wishes.only)
    shape = f"--seed {wishes.seed} --seconds {wishes.seconds:g} --clients {wishes.clients}"
    return f"python -m tools.chaos {shape}{only}"


def _tell(verdict: Verdict, wishes: Wishes, show: Show) -> int:
    show.text(str(verdict))
    for violation in verdict.smallest:
        show.text(f"\n{render(violation)}")
    if verdict.violations:
        show.say(f"A promise was broken, with seed {wishes.seed}.", style="bold red")
        return 1
    unjudged = [name for name in verdict.vacuous if name not in _MAY_BE_VACUOUS]
    if unjudged and not wishes.only:
        show.say(f"Nothing was there to judge {', '.join(unjudged)} on.", style="bold red")
        return 1
    show.say(f"Every promise was kept, with seed {wishes.seed}.", style="bold green")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=30.0, help="how long faults strike (default 30)")
    add("--seed", type=int, default=secrets.randbelow(2**32), help="replays a run's choices")
    add(
        "--only",
        action="append",
        default=[],
        choices=sorted(FAULTS),
        metavar="FAULT",
        help="this fault alone; may be repeated",
    )
    add("--clients", type=int, default=8, help="how many (default 8)")
    add("--folder", type=Path, default=REPOSITORY / "build" / "chaos", help="for all it leaves")
    return parser.parse_args(arguments)


def _clear(folder: Path) -> None:
    """Empty the folder of an earlier run; any other folder must be empty already."""
    known = (folder / "history.jsonl").exists()
    if folder.exists() and any(folder.iterdir()) and not known:
        raise NotPrepared(f"{folder} holds something else; name another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())

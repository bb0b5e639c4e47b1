"""`python -m tools.chaos.judge FOLDER`: judge a run again, from the files that it left there."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.chaos.judge import assess, load, render


def main(arguments: list[str]) -> int:
    """Print the verdict and the smallest story for each broken promise, 1 when there is one."""
    folder = Path(arguments[0] if arguments else ".")
    verdict = assess(load(folder / "history.jsonl", folder / "final.json"))
    told = [str(verdict), *map(render, verdict.smallest)]
    sys.stdout.write("\n\n".join(told) + "\n")
    return 0 if verdict.holds() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

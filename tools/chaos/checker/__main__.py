"""`python -m tools.chaos.checker FOLDER`: check a run again, from the files that it left there."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.chaos.checker import check, load, render


def main(arguments: list[str]) -> int:
    """Print the result and the smallest counterexamples; return 1 when an invariant is broken."""
    result = check(load(Path(arguments[0] if arguments else ".")))
    lines = [str(result), *map(render, result.smallest)]
    sys.stdout.write("\n\n".join(lines) + "\n")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

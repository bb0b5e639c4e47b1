"""Finds words that have a standard term: `python tools/words.py`, a part of `make check`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# In any text.
_TERMS = {
    "torture": "chaos, fault injection",
    "rehears(e|ed|al|als|es|ing)": "deployment check",
    "zygote": "prefork server",
    "mutants?": "mutation",
    "localcloud": "tools/local",
    "packager": "tools/package",
}
# In names of files, folders, classes and functions.
_NAMES = {
    "rooms?": "package",
    "office": "operator, admin",
    "desk": "context, dependencies",
    "wishes": "options",
    "tales?": "run builder",
    "thief": "attacker",
    "judge": "checker",
    "conductor": "nemesis",
    "clerk": "operator worker",
    "wallet": "client model",
    "correspondent": "api client",
    "mailbox": "reply queue",
    "books": "ledger",
    "refus(al|ed)": "rejection, rejected",
    "scene": "environment, fixture",
    "story": "scenario, counterexample",
    "verdict": "result",
    "world": "workload, state",
}
_HERE = "tools/words.py"
_DEFINITION = re.compile(r"\s*(?:class|def) (\w+)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _places(text: str, words: dict[str, str]) -> list[str]:
    return [
        f"{match[0]}: say {term}"
        for word, term in words.items()
        for match in re.finditer(rf"(?i)(?<![a-z]){word}(?![a-z])", text)
    ]


def main() -> int:
    """Print each place with its standard term; return the exit code."""
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)  # noqa: S607
    places = []
    for name in listed.stdout.splitlines():
        path = Path(name)
        if name == _HERE or name.startswith(("vendor/", "requirements/")) or not path.is_file():
            continue
        places += [f"{name}: {found}" for found in _places(name, {**_TERMS, **_NAMES})]
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            named = _DEFINITION.match(line)
            defined = _CAMEL.sub("_", named[1]) if named else ""
            found = [*_places(line, _TERMS), *_places(defined, _NAMES)]
            places += [f"{name}:{number}: {one}" for one in found]
    print(*places, sep="\n", end="\n" if places else "")  # noqa: T201 - a command's output
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())

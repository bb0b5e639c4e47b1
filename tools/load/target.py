"""The service under load: a local stack of its own, or one that runs already."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tools.load.errors import LoadError
from tools.load.operators import Operators, operators_of
from tools.load.users import Resident
from tools.local.stack import Stack

# Of a function; a request whose worker was killed comes back after six of these.
_FUNCTION_SECONDS = "20"


@dataclass(frozen=True)
class Target:
    """Where the API is and who uses it; only a stack of our own has operators."""

    api: str
    residents: Sequence[Resident]
    operators: Operators | None = None


@contextmanager
def own_stack() -> Iterator[Target]:
    """Start a local stack on a free port and a temporary folder, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="load-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder) / "state", {"BILLING_FUNCTION_TIMEOUT": _FUNCTION_SECONDS})
        stack.start()
        try:
            with operators_of(stack.cloud) as operators:
                target = running_service(stack.base_url, stack.state / "demo.json")
                yield replace(target, operators=operators)
        finally:
            stack.stop()


def running_service(url: str, credentials: Path) -> Target:
    """Use any service, with the residents of a JSON file as `demo.json`.

    Raises:
        LoadError: the file can't be read or names no resident with an apartment.
    """
    try:
        content = json.loads(credentials.read_text(encoding="utf-8"))
        residents = [
            Resident(entry["username"], entry["password"], entry["apartments"][0])
            for entry in content["residents"]
            if entry["apartments"]
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        form = '{"residents": [{"username": ..., "password": ..., "apartments": [...]}]}'
        raise LoadError(f"{credentials} can't be read as {form}.") from error
    if not residents:
        raise LoadError(f"{credentials} names no resident with an apartment.")
    return Target(url, residents)

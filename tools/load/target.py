"""The service under load: a local stack of its own, or one that runs already."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tools.load.users import Resident
from tools.local.stack import Stack
from tools.operator_client import OperatorClient, local_operator

# Of a function; a request whose worker was killed comes back after six of these.
_FUNCTION_SECONDS = "20"


@dataclass(frozen=True)
class Target:
    """Where the API is and who uses it; only a stack of our own has an operator."""

    api: str
    residents: Sequence[Resident]
    operator: OperatorClient | None = None


@contextmanager
def own_stack() -> Iterator[Target]:
    """Start a local stack on a free port and a temporary folder, and stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="load-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder) / "state", {"BILLING_FUNCTION_TIMEOUT": _FUNCTION_SECONDS})
        stack.start()
        try:
            with running_service(stack.base_url, stack.state / "demo.json") as target:
                yield replace(target, operator=local_operator(stack.cloud))
        finally:
            stack.stop()


@contextmanager
def running_service(url: str, credentials: Path) -> Iterator[Target]:
    """Use any service, with the residents of a JSON file as `demo.json`.

    Raises:
        click.ClickException: the file can't be read or names no resident with an apartment.
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
        raise click.ClickException(f"{credentials} can't be read as {form}.") from error
    if not residents:
        raise click.ClickException(f"{credentials} names no resident with an apartment.")
    yield Target(url, residents)

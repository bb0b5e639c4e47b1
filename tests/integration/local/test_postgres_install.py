"""Postgres finds a place to run wherever the checkout and the virtual environment are."""

from __future__ import annotations

import os
import pwd
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.local import postgres_install
from tools.local.errors import LocalStackError
from tools.local.postgres_install import find_home


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the folder under /var/tmp."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setattr(postgres_install, "_shared_folder", lambda: folder)
    return folder


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root; nobody has to be it for this."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_an_ordinary_user_keeps_all_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    home = find_home(tmp_path)
    assert (home.user, home.data) == ("", tmp_path / "data")


@pytest.mark.usefixtures("as_root")
def test_root_gives_way_to_an_ordinary_user_who_gets_a_whole_copy_of_the_binaries(
    tmp_path: Path, shared: Path
) -> None:
    home = find_home(tmp_path)
    said = subprocess.run(
        [home.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert home.binaries.is_relative_to(shared)
    assert said.stdout.startswith("postgres (PostgreSQL) 18.")
    assert find_home(tmp_path).binaries == home.binaries
    assert pwd.getpwnam(home.user).pw_uid != 0


@pytest.mark.usefixtures("as_root")
def test_data_kept_elsewhere_go_when_their_state_folder_has_gone(
    tmp_path: Path, shared: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    kept = find_home(old).data.parent
    old.rmdir()
    new = find_home(tmp_path).data.parent
    assert (kept.exists(), new.exists()) == (False, True)


@pytest.mark.usefixtures("as_root")
def test_starts_at_the_same_time_remove_what_was_left_together(
    tmp_path: Path, shared: Path
) -> None:
    for number in range(40):
        left = shared / f"data-{number}"
        left.mkdir()
        for name in map(str, range(20)):
            (left / name).write_text("x")
        (left / "belongs-to").write_text(str(tmp_path / "gone"))
    with ThreadPoolExecutor(4) as pool:
        for removing in [pool.submit(postgres_install._remove_orphans, shared) for _ in range(4)]:
            removing.result()
    assert list(shared.glob("data-*/belongs-to")) == []


def test_a_shared_folder_of_somebody_else_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / f"utilities-billing-{os.geteuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    monkeypatch.setattr(postgres_install, "_SYSTEM_FOLDER", tmp_path)
    with pytest.raises(LocalStackError, match="belongs to somebody else"):
        postgres_install._shared_folder()


def test_a_missing_wheel_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(LocalStackError, match="make install"):
        find_home(tmp_path)

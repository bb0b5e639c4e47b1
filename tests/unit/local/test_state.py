"""One service at a time uses a state folder, and only one that it can use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.local.errors import LocalStackError
from tools.local.files import write_private_json
from tools.local.state import StateFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.acquire()
    yield folder
    folder.release()


def test_a_folder_of_another_version_is_rejected(folder: StateFolder) -> None:
    folder.release()
    write_private_json(folder.path / "version.json", {"layout": 0, "postgres": "12"})
    with pytest.raises(LocalStackError, match="make clean"):
        folder.acquire()
    assert folder.holder() is None


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(LocalStackError, match="BILLING_STATE"):
        StateFolder(tmp_path).acquire()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_new_start_keeps_the_logs_of_the_last_one_beside_its_own(folder: StateFolder) -> None:
    (folder.logs / "aws.log").write_text("yesterday")
    (folder.run / "utils-1.json").write_text('{"pid": 1}')
    folder.release()
    folder.acquire()
    assert (folder.logs / "aws.log.1").read_text() == "yesterday"
    assert list(folder.run.iterdir()) == []

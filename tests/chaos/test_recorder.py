"""The recorder: whole lines in the order of time, whoever writes."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from tools.chaos.world.canaries import Canaries
from tools.chaos.world.recorder import Recorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def test_many_threads_write_whole_lines_in_order(path: Path) -> None:
    recorder = Recorder(path, time.monotonic)

    def write(name: str) -> None:
        for _ in range(200):
            recorder.record("invoke", id=recorder.next_id(), client=name)

    threads = [threading.Thread(target=write, args=[f"c{n}"]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert sorted(event["id"] for event in events) == list(range(1, 801))
    assert [event["t"] for event in events] == sorted(event["t"] for event in events)


def test_an_event_is_there_as_soon_as_it_is_told(path: Path) -> None:
    recorder = Recorder(path, lambda: 1.5)
    recorder.record("phase", name="faults_begin")
    assert json.loads(path.read_text()) == {"e": "phase", "t": 1.5, "name": "faults_begin"}
    assert recorder.now() == 1.5
    recorder.close()


def test_what_json_does_not_know_is_written_as_text(path: Path) -> None:
    recorder = Recorder(path, lambda: 0.0)
    recorder.record("office", args={"user": UUID(int=1), "name": "Ада"})
    recorder.close()
    assert "Ада" in path.read_text("utf-8")
    assert json.loads(path.read_text("utf-8"))["args"]["user"] == str(UUID(int=1))


def test_canaries_are_told_apart_and_kept_from_others_eyes(tmp_path: Path) -> None:
    path = tmp_path / "secrets.jsonl"
    canaries = Canaries(path)
    made = [canaries.password(), canaries.name(), canaries.add("token", "a.b.c")]
    canaries.close()
    written = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [one["kind"] for one in written] == ["password", "name", "token"]
    assert [one["value"] for one in written] == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

"""`chalice local` serves the same API, in front of the service that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from tests.support.api import Caller, Environment
from tests.support.documents import ROOT, commands_of
from tests.unit.gateway.tools import CONTRACT
from tools.local.gateway.document import Operation
from tools.local.processes import free_port
from tools.local.stack import Stack

# Chalice's reloader looks at its folder once a second.
LOOKS_SECONDS = 3.0


@pytest.fixture
def chalice_local(stack: Stack, tmp_path: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run the command of docs/local.md, but for its port; give the address and the process."""
    page = ROOT / "docs" / "local.md"
    [written] = [line for line in commands_of(page) if "chalice local" in line]
    port, scripts = free_port(), Path(sys.executable).parent
    command = written.replace("--port 8001", f"--port {port}")
    command = command.replace("../../../.venv/bin", str(scripts))
    assert str(port) in command
    assert str(scripts) in command
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", command],  # noqa: S607 - the reader's own shell
            cwd=ROOT,
            env={**os.environ, "BILLING_STATE": str(stack.state)},
            stdout=log,
            stderr=log,
            process_group=0,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_it_answers(address, process)
            yield address, psutil.Process(process.pid)
        finally:
            os.killpg(process.pid, 15)
            process.wait(10)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, "chalice local ended"
        assert time.monotonic() < deadline, "chalice local does not answer"
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return


def test_a_journey_through_chalice_local(
    env: Environment, chalice_local: tuple[str, psutil.Process]
) -> None:
    address, _ = chalice_local
    ada = env.resident()
    bill = env.ledger.bill(ada.home)
    with httpx.Client(base_url=address, timeout=35) as http:
        caller = Caller(http, ada.caller.token)
        assert [debt["bill_id"] for debt in caller.debts(ada.home.apartment)["debts"]] == [bill]
        assert caller.pay(ada.home.apartment, bill)["status"] == "done"


def test_every_route_of_the_contract_is_answered_by_the_executor(
    chalice_local: tuple[str, psutil.Process],
) -> None:
    with httpx.Client(base_url=chalice_local[0], timeout=35) as http:
        answers = [(entry, _ask(http, entry)) for entry in CONTRACT.operations]
        media = [
            http.post("/auth", content="x", headers={"Content-Type": kind})
            for kind in ("text/plain", "application/octet-stream", "image/png")
        ]
    for entry, answer in answers:
        # What Chalice answers by itself has no CORS headers.
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        known = (204,) if entry.method == "OPTIONS" else (401,) if entry.authorizer else (200, 400)
        assert answer.status_code in known, (entry.method, entry.path)
    assert {answer.json()["code"] for answer in media} == {"unsupported_media_type"}


def _ask(http: httpx.Client, entry: Operation) -> httpx.Response:
    path = entry.path.format(apartment_id=uuid4(), queue_name=uuid4())
    return http.request(entry.method, path, params={"wait_seconds": 0})


def test_chalice_local_does_not_restart_while_the_service_writes_its_state(
    chalice_local: tuple[str, psutil.Process],
) -> None:
    _, command = chalice_local
    time.sleep(LOOKS_SECONDS)
    before = {process.pid for process in command.children(recursive=True)}
    # Beside the checkout's own state, which may belong to a service that runs.
    state = ROOT / "build" / f"state-{os.getpid()}"
    state.mkdir(parents=True)
    try:
        for number in range(10):
            (state / f"{number}.log").write_text("a line")
            time.sleep(LOOKS_SECONDS / 10)
        assert {process.pid for process in command.children(recursive=True)} == before
    finally:
        for file in state.iterdir():
            file.unlink()
        state.rmdir()


def test_chalice_watches_a_folder_that_holds_its_project_alone() -> None:
    project = ROOT / "tools" / "local" / "chalice_project"
    files = {path.relative_to(project) for path in project.rglob("*") if path.is_file()}
    kept = {path for path in files if "__pycache__" not in path.parts}
    assert kept == {Path("app.py"), Path(".chalice/config.json")}

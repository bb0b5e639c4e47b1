"""`chalice local` serves the same API, in front of the service that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.api import Caller, Environment, wait_until
from tests.support.documents import ROOT, commands_of
from tests.unit.gateway.tools import CONTRACT
from tools.local.gateway.document import Operation
from tools.local.processes import free_port, listens
from tools.local.stack import Stack


@pytest.fixture
def chalice_local(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Run the command of docs/local.md, but for its port; give the address."""
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
            wait_until(lambda: _answers(address, process), "chalice local")
            yield address
        finally:
            os.killpg(process.pid, 15)
            process.wait(10)


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "chalice local ended"
    return listens(address)


def test_a_journey_through_chalice_local(env: Environment, chalice_local: str) -> None:
    ada = env.resident()
    bill = env.ledger.bill(ada.home)
    with httpx.Client(base_url=chalice_local, timeout=35) as http:
        caller = Caller(http, ada.caller.token)
        assert [debt["bill_id"] for debt in caller.debts(ada.home.apartment)["debts"]] == [bill]
        assert caller.pay(ada.home.apartment, bill)["status"] == "done"


def test_every_route_of_the_contract_is_answered_by_the_executor(
    chalice_local: str,
) -> None:
    with httpx.Client(base_url=chalice_local, timeout=35) as http:
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


def test_chalice_watches_a_folder_that_holds_its_project_alone() -> None:
    # Chalice starts anew when a file in its folder changes, as logs and databases do.
    project = ROOT / "tools" / "local" / "chalice_project"
    files = {path.relative_to(project) for path in project.rglob("*") if path.is_file()}
    kept = {path for path in files if "__pycache__" not in path.parts}
    assert kept == {Path("app.py"), Path(".chalice/config.json")}

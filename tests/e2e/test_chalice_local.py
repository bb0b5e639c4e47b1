"""`chalice local` serves the same API, in front of the service that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api import Caller, Scene
from tools.local.processes import free_port
from tools.local.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def chalice_local(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Start `chalice local` as docs/local.md says, and return its address."""
    port = free_port()
    chalice = Path(sys.executable).with_name("chalice")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [chalice, "local", "--stage", "local", "--port", str(port), "--no-autoreload"],
            cwd=ROOT,
            env={**os.environ, "BILLING_STATE": str(stack.state)},
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_it_answers(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "chalice local ended"
        assert time.monotonic() < deadline, "chalice local does not answer"
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return


def test_a_journey_through_chalice_local(scene: Scene, chalice_local: str) -> None:
    ada = scene.resident()
    bill = scene.ledger.bill(ada.home)
    with httpx.Client(base_url=chalice_local, timeout=35) as http:
        caller = Caller(http, ada.caller.token)
        assert [debt["bill_id"] for debt in caller.debts(ada.home.apartment)["debts"]] == [bill]
        assert caller.pay(ada.home.apartment, bill)["status"] == "done"
        rejected = http.post("/auth", content="{}", headers={"Content-Type": "text/plain"})
        assert (rejected.status_code, rejected.json()["code"]) == (415, "unsupported_media_type")

"""The smaller parts of a rehearsal."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.deploy_check.__main__ import main
from tools.deploy_check.certificates import Certificates, make_certificates
from tools.deploy_check.emulator import role_of
from tools.deploy_check.terraform import changed, problem_of
from tools.local import processes
from tools.local.processes import listens


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "tls")


@pytest.fixture
def echo() -> Iterator[int]:
    """Serve on a plain port what it is sent, once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(connection.recv(100))

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_plain_server_is_reached_over_tls(
    certificates: Certificates, echo: int, tmp_path: Path
) -> None:
    port = processes.free_port()
    front = processes.spawn(
        [
            *(sys.executable, "-m", "tools.deploy_check.tls_front", str(port), str(echo)),
            *(certificates.certificate, certificates.key),
        ],
        log=tmp_path / "log",
        folder=Path(__file__).parents[2],
    )
    try:
        assert asyncio.run(_asked(port, certificates)) == b"hello"
    finally:
        processes.stop(front, signal_number=15, grace_seconds=5)


async def _asked(port: int, certificates: Certificates) -> bytes:
    while not listens(f"http://127.0.0.1:{port}"):
        await asyncio.sleep(0.05)
    trusted = ssl.create_default_context(cafile=str(certificates.authority))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
    writer.write(b"hello")
    answer = await reader.read(100)
    writer.close()
    # Whichever side goes first, the transport must be gone before its loop is.
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return answer


def test_the_key_is_for_its_owner_alone(certificates: Certificates) -> None:
    assert certificates.key.stat().st_mode & 0o077 == 0


def test_a_session_counts_as_its_role() -> None:
    session = "arn:aws:sts::123456789012:assumed-role/bill-gateway/rehearsal"
    assert role_of(session) == "arn:aws:iam::123456789012:role/bill-gateway"
    assert role_of("arn:aws:iam::123456789012:user/x") == "arn:aws:iam::123456789012:user/x"


def test_a_plan_tells_what_it_would_change_without_values() -> None:
    change = {"actions": ["update"], "before": {"a": "secret", "b": 1}, "after": {"a": 2, "b": 1}}
    replaced = {"actions": ["delete", "create"], "before": {}, "after": {}}
    shown = {
        "resource_changes": [
            {"address": "x.same", "change": {"actions": ["no-op"], "before": {}, "after": {}}},
            {"address": "x.changed", "change": change},
            {"address": "x.new", "change": {**replaced, "replace_paths": [["port"]]}},
        ],
        "output_changes": {"url": {"actions": ["update"]}},
    }
    assert changed(shown) == [
        "x.changed: update (a)",
        "x.new: delete/create (because of port)",
        "output url: update",
    ]


def test_a_complaint_names_resource_and_reason() -> None:
    event = {"@message": "Error: no", "diagnostic": {"address": "x.y", "detail": "because"}}
    assert problem_of(event) == "Error: no\n  x.y\n  because"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        main(["--folder", str(tmp_path)])
    assert (tmp_path / "precious").exists()


def test_a_missing_emulator_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.deploy_check.run.program", lambda: "terraform")
    code = main(["--folder", str(tmp_path / "new"), "--emulator", str(tmp_path / "python")])
    assert code == 2
    assert "make deploy-check" in capsys.readouterr().out


def test_a_machine_without_terraform_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--folder", str(tmp_path / "new"), "--emulator", sys.executable]) == 2
    said = capsys.readouterr().out
    assert "Terraform is not installed" in said
    assert "Starting emulators" not in said

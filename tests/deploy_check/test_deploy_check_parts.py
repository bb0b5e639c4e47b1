"""The parts of the deployment check that need no emulator."""

from __future__ import annotations

import asyncio
import contextlib
import signal
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
    proxy = processes.spawn(
        [
            *(sys.executable, "-m", "tools.deploy_check.tls_proxy", str(port), str(echo)),
            *(certificates.certificate, certificates.key),
        ],
        log=tmp_path / "log",
        folder=Path(__file__).parents[2],
    )
    try:
        assert asyncio.run(_asked(port, certificates)) == b"hello"
    finally:
        processes.stop(proxy, signal_number=15, grace_seconds=5)


async def _asked(port: int, certificates: Certificates) -> bytes:
    while not listens(f"http://127.0.0.1:{port}"):
        await asyncio.sleep(0.05)
    trusted = ssl.create_default_context(cafile=str(certificates.certificate))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
    writer.write(b"hello")
    answer = await reader.read(100)
    writer.close()
    # Whichever side goes first, the transport must be gone before its loop is.
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return answer


def test_only_the_owner_can_read_the_key(certificates: Certificates) -> None:
    assert certificates.key.stat().st_mode & 0o077 == 0


def test_a_session_is_reported_as_its_role() -> None:
    session = "arn:aws:sts::123456789012:assumed-role/bill-gateway/session"
    assert role_of(session) == "arn:aws:iam::123456789012:role/bill-gateway"
    assert role_of("arn:aws:iam::123456789012:user/x") == "arn:aws:iam::123456789012:user/x"


def test_a_folder_with_other_files_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        main(["--folder", str(tmp_path)])
    assert (tmp_path / "precious").exists()


def test_a_missing_emulator_is_reported_with_the_command_that_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.deploy_check.check.program", lambda: "terraform")
    code = main(["--folder", str(tmp_path / "new"), "--emulator", str(tmp_path / "python")])
    assert code == 2
    assert "make deploy-check" in capsys.readouterr().err


def test_missing_terraform_is_reported_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--folder", str(tmp_path / "new"), "--emulator", sys.executable]) == 2
    said = capsys.readouterr()
    assert "Terraform is not installed" in said.err
    assert "Starting emulators" not in said.out


def test_the_handler_of_sigterm_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    main(["--folder", str(tmp_path / "new"), "--emulator", sys.executable])
    assert signal.getsignal(signal.SIGTERM) is before

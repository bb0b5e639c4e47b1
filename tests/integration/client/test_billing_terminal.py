"""The command as a process: at a terminal, in a pipe, interrupted, and over real sockets."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from billing_client import AnswerTimeout, BillingClient, BillingError, ConnectionFailed
from werkzeug.serving import make_server

from billing_app.domain.bills import Provider
from tests.support.billing_service import BillingService, Residency, a_bill
from tests.unit.client.billing_runs import Billing

COMMAND = (sys.executable, "-m", "billing_client")


@pytest.fixture
def service() -> BillingService:
    return BillingService(clock=time)


@pytest.fixture
def apartment(service: BillingService) -> Residency:
    return service.add_apartment(service.add_resident("ada"))


@pytest.fixture
def late(apartment: Residency) -> Residency:
    """An apartment with an overdue bill."""
    apartment.owes(a_bill(due_on=date(2026, 11, 15)))
    return apartment


@pytest.fixture
def url(service: BillingService) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, service.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def billing(url: str, tmp_path: Path) -> Billing:
    return Billing(url, tmp_path / "files")


@pytest.fixture
def logged_in(billing: Billing, apartment: Residency) -> Billing:
    billing.login()
    return billing


def environment(billing: Billing, **more: str) -> dict[str, str]:
    python_path = os.pathsep.join(sys.path)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    base = {**kept, "PYTHONPATH": python_path, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return {**base, **billing.environment(), **more}


class Screen:
    """A terminal with a command in it."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.text = ""

    def until(self, wanted: str, seconds: float = 15.0) -> str:
        ends_at = time.monotonic() + seconds
        while wanted not in self.text and time.monotonic() < ends_at:
            if not self._read():
                break
        assert wanted in self.text
        return self.text

    def end(self) -> str:
        while self._read():
            pass
        self.process.wait(15)
        return self.text

    def write(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], 15)
        try:
            chunk = os.read(self._terminal, 65536) if ready else b""
        except OSError:
            return False
        self.text += chunk.decode(errors="replace")
        return bool(chunk)


@contextmanager
def on_screen(billing: Billing, *words: str, **more: str) -> Iterator[Screen]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(billing, **more),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Screen(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_terminal_gets_rules_colours_and_a_spinner(
    logged_in: Billing, service: BillingService, late: Residency
) -> None:
    service.answer_seconds = 0.3
    with on_screen(logged_in, "debts") as screen:
        shown = screen.end()
    assert "─────" in shown
    assert re.search(r"\x1b\[1;31m\s*7 days", shown)
    assert "Fetching the debts" in shown
    assert re.search(r"0:00:0\d", shown)


def test_no_color_is_respected(logged_in: Billing, late: Residency) -> None:
    with on_screen(logged_in, "debts", NO_COLOR="1") as screen:
        shown = screen.end()
    assert "7 days" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_pipe_gets_complete_plain_text(logged_in: Billing, apartment: Residency) -> None:
    apartment.owes(a_bill(provider=Provider("p", "x" * 300)))
    done = subprocess.run(
        [*COMMAND, "debts"], env=environment(logged_in), capture_output=True, check=True, text=True
    )
    assert "x" * 300 in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_pipe_that_takes_only_ascii_gets_question_marks(
    logged_in: Billing, apartment: Residency
) -> None:
    apartment.owes(a_bill(provider=Provider("p", "Газ")))
    done = subprocess.run(
        [*COMMAND, "debts"],
        env=environment(logged_in, PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=True,
    )
    assert b"???" in done.stdout


def test_a_reader_that_stops_early_causes_no_traceback(
    logged_in: Billing, apartment: Residency
) -> None:
    apartment.owes(*(a_bill() for _ in range(1000)))
    done = subprocess.run(  # noqa: S602 - a pipe of the shell is what is tested
        f"{shlex.quote(sys.executable)} -m billing_client debts | head -1",
        shell=True,
        env=environment(logged_in),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Utility" in done.stdout
    assert "Traceback" not in done.stderr


def test_ctrl_c_during_a_payment_ends_with_130_and_keeps_it_pending(
    logged_in: Billing, service: BillingService, late: Residency
) -> None:
    service.silent = {"payments"}
    with on_screen(logged_in, "pay", "--all") as screen:
        screen.until("Pay now?")
        screen.write("y\n")
        screen.until("Paying 51.40 EUR")
        while "payments" not in service.accepted:
            time.sleep(0.02)
        screen.process.send_signal(signal.SIGINT)
        shown = screen.end()
    assert screen.process.returncode == 130
    assert "Interrupted" in shown
    assert "billing pay --resume" in shown
    assert "Traceback" not in shown
    service.silent = set()
    assert "The pending payment was made." in logged_in.ok("pay", "--resume")


def test_ctrl_c_at_the_prompt_pays_nothing(logged_in: Billing, late: Residency) -> None:
    with on_screen(logged_in, "pay", "--all") as screen:
        screen.until("Pay now?")
        # A signal in the instant before the read starts is only seen after the next key.
        time.sleep(0.3)
        screen.process.send_signal(signal.SIGINT)
        screen.end()
    assert screen.process.returncode == 130
    assert late.events == []


def test_a_password_is_not_shown(billing: Billing, apartment: Residency) -> None:
    with on_screen(billing, "login", "ada") as screen:
        screen.until("Password")
        screen.write("secret\n")
        shown = screen.end()
    assert "Logged in as" in shown
    assert "secret" not in shown


@contextmanager
def raw_server(answer: bytes, pause_seconds: float = 0.0) -> Iterator[str]:
    """Answer one connection byte by byte."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            for byte in answer:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                time.sleep(pause_seconds)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join()


def client_of(url: str, logged_in: Billing) -> BillingClient:
    """Return a client with the session of another service."""
    here = BillingClient(logged_in.url)
    here.login("ada", "secret")
    here.close()
    return BillingClient(url, sessions=here._sessions, timeout_seconds=0.5)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<ok>",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
        b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<no>",
        b"not HTTP at all\r\n\r\n",
    ],
)
def test_a_payment_with_a_malformed_answer_stays_pending(
    logged_in: Billing, apartment: Residency, answer: bytes
) -> None:
    with raw_server(answer) as url, client_of(url, logged_in) as client:
        with pytest.raises(BillingError) as caught:
            client.pay(apartment.apartment_id, ["b"])
        assert caught.value.pending is not None


def test_a_slow_answer_does_not_outlast_the_timeout(
    logged_in: Billing, apartment: Residency
) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n" + b" " * 900
    with (
        raw_server(answer, pause_seconds=0.01) as url,
        client_of(url, logged_in) as client,
    ):
        started = time.monotonic()
        with pytest.raises(AnswerTimeout):
            client.debts(apartment.apartment_id)
        assert time.monotonic() - started < 1.0


def test_a_closed_port_is_a_failed_connection(logged_in: Billing, apartment: Residency) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with client_of(url, logged_in) as client, pytest.raises(ConnectionFailed) as caught:
            client.debts(apartment.apartment_id)
    assert not caught.value.reached

"""The command as a process: at a terminal, in a pipe, interrupted, and over real sockets."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from billing_client import AnswerTimeout, BillingClient, ConnectionFailed
from werkzeug.serving import make_server

from billing_app.domain.bills import Provider
from tests.support.billing_service import BillingService, Residency
from tests.support.bills import a_debt
from tests.support.sockets import listening
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
    apartment.owes(a_debt(due_on=date(2026, 11, 15)))
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
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    base = {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return {**kept, **base, **billing.environment(), **more}


@dataclass
class Screen:
    """A terminal with a command in it."""

    process: subprocess.Popen[bytes]
    terminal: int
    text: str = ""

    def until(self, wanted: str) -> None:
        """Read until a text is shown."""
        while wanted not in self.text:
            assert self._reads(), self.text

    def end(self) -> str:
        """Return all that was shown when the command has ended."""
        while self._reads():
            pass
        self.process.wait()
        return self.text

    def write(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def _reads(self) -> bool:
        try:
            chunk = os.read(self.terminal, 65536)
        except OSError:
            # Linux's way to say that nobody writes any more.
            return False
        self.text += chunk.decode(errors="replace")
        return bool(chunk)


@contextmanager
def on_screen(billing: Billing, *words: str, **more: str) -> Iterator[Screen]:
    """Run the command at a terminal."""
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


def piped(billing: Billing, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Show the debts in a pipe."""
    return subprocess.run(
        [*COMMAND, "debts"], env=environment(billing, **more), capture_output=True, check=True
    )


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
    apartment.owes(a_debt(provider=Provider("p", "x" * 300)))
    done = piped(logged_in)
    assert b"x" * 300 in done.stdout
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""


def test_a_pipe_that_takes_only_ascii_gets_question_marks(
    logged_in: Billing, apartment: Residency
) -> None:
    apartment.owes(a_debt(provider=Provider("p", "Газ")))
    assert b"???" in piped(logged_in, PYTHONIOENCODING="ascii").stdout


def test_a_reader_that_stops_early_causes_no_traceback(
    logged_in: Billing, apartment: Residency
) -> None:
    apartment.owes(*(a_debt() for _ in range(1000)))
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


def client_of(port: int, logged_in: Billing) -> BillingClient:
    """Return a client with the session of another service."""
    with BillingClient(logged_in.url) as here:
        here.login("ada", "secret")
    url = f"http://127.0.0.1:{port}"
    return BillingClient(url, sessions=here._sessions, timeout_seconds=0.5)


def test_a_slow_answer_does_not_outlast_the_timeout(
    logged_in: Billing, apartment: Residency
) -> None:
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n" + b" " * 900
    with (
        listening(answer, pause_seconds=0.01) as server,
        client_of(server.port, logged_in) as client,
    ):
        started = time.monotonic()
        with pytest.raises(AnswerTimeout):
            client.debts(apartment.apartment_id)
        # The whole answer takes nine seconds.
        assert time.monotonic() - started < 5.0


def test_a_closed_port_is_a_failed_connection(logged_in: Billing, apartment: Residency) -> None:
    with listening() as closed:
        pass
    with client_of(closed.port, logged_in) as client, pytest.raises(ConnectionFailed) as caught:
        client.debts(apartment.apartment_id)
    assert not caught.value.reached

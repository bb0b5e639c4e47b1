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
from billing_client import AnswerTimeout, BillingClient
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


def in_shell(billing: Billing, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in which `{}` is the command."""
    return subprocess.run(  # noqa: S602 - what the shell does with the streams is what is tested
        line.format(shlex.join(COMMAND)),
        shell=True,
        executable="/bin/bash",
        env=environment(billing),
        capture_output=True,
        text=True,
        check=False,
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
    done = in_shell(logged_in, "{} debts | head -1")
    assert "Utility" in done.stdout
    assert "Traceback" not in done.stderr


# How a shell runs the command; the exit code; whether its receipt was shown.
BROKEN_STREAMS = {
    "stdout read in part": ("{} pay --all --yes | (read; read; read)", 8, False),
    "stdout on a full disk": ("{} pay --all --yes --json > /dev/full", 8, False),
    "stdout closed": ("{} pay --all --yes --json >&-", 8, False),
    "stderr closed": ("{} pay --all --yes --json 2>&-", 0, True),
    "stderr not read": ("{} pay --all --yes --json 2> >(exec <&-)", 4, None),
    "files of no size": ("ulimit -f 0; {} pay --all --yes", 4, None),
    "stdin closed": ("{} pay --all <&-", 2, None),
}


@pytest.mark.parametrize(("shell", "code", "shown"), BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_a_payment_is_pending_until_its_receipt_was_shown(
    logged_in: Billing,
    service: BillingService,
    late: Residency,
    shell: str,
    code: int,
    shown: bool | None,
) -> None:
    service.answer_seconds = 0.2
    done = in_shell(logged_in, f"{shell}; exit ${{{{PIPESTATUS[0]}}}}")
    assert (done.returncode, len(late.events)) == (code, shown is not None), done
    assert ("R-2026-0000000001" in done.stdout) == bool(shown)
    pending = "The pending payment was made." if shown is False else "No pending payments."
    assert pending in logged_in.ok("pay", "--resume")


def test_a_pending_payment_can_be_resumed_with_a_full_disk(
    logged_in: Billing, service: BillingService, late: Residency
) -> None:
    service.silent = {"payments"}
    assert logged_in.run("pay", "--all", "--yes", "--timeout", "0.5").exit_code == 8
    service.silent = set()
    done = in_shell(logged_in, "ulimit -f 0; {} pay --resume")
    assert "The pending payment was made." in done.stdout, done


KILLED = """
import os, signal, sys
event, left = sys.argv.pop(1), [int(sys.argv.pop(1))]
def hook(name, _):
    left[0] -= name == event
    if name == event and not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from billing_client.cli.main import main
main()
"""


# Each request has a connection of its own; three are for the debts.
@pytest.mark.parametrize(
    ("event", "number", "sent"),
    [
        pytest.param("os.rename", 1, False, id="before it is stored"),
        pytest.param("socket.connect", 4, False, id="before it is sent"),
        pytest.param("socket.connect", 5, True, id="before the reply is polled"),
        pytest.param("socket.connect", 6, True, id="before the reply is deleted"),
        pytest.param("os.remove", 1, True, id="before it is forgotten"),
    ],
)
def test_a_killed_payment_is_made_once_and_its_receipt_is_shown_by_the_next_run(
    logged_in: Billing, late: Residency, event: str, number: int, sent: bool
) -> None:
    words = ["pay", "--all", "--yes", "--json"]
    killed = [sys.executable, "-c", KILLED, event, str(number), *words]
    done = subprocess.run(killed, env=environment(logged_in), capture_output=True, check=False)
    assert (done.returncode, len(late.events)) == (-signal.SIGKILL, sent), done
    answer = logged_in.json(*words[:-1])
    receipts = [answer["receipt"], *(one["receipt"] for one in answer["resumed"])]
    assert [one["receipt_number"] for one in receipts if one] == ["R-2026-0000000001"]
    assert len(late.events) == 1


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

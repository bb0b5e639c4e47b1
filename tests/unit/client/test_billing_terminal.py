"""How the command reads at a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from billing_client.cli.context import is_private_connection
from billing_client.cli.formatting import period_text, short_ids
from billing_client.cli.terminal import json_text, safe
from billing_client.serialization import Fields, decode_debts
from rich.cells import cell_len

from tests.support.fake_api import FakeApi
from tests.support.fake_ledger import FakeApartment, bill
from tests.unit.client.billing_runs import Billing

HOSTILE = "Evil\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp\u200b[red]Gas[/red] :smile:\nnext"
SCRIPTS = ["Тепло та Газ", "水道局", "شركة الغاز", "⚡️ Power 👩‍🔧", "e\u0301nergie", "Gas"]


def environment(billing: Billing, **more: str) -> dict[str, str]:
    python_path = os.pathsep.join(sys.path)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    base = {**kept, "PYTHONPATH": python_path, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return {**base, **billing.environment(), **more}


COMMAND = (sys.executable, "-m", "billing_client")


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


@pytest.fixture
def late(flat: FakeApartment) -> FakeApartment:
    flat.debts = [bill(days_overdue=7)]
    return flat


def test_a_terminal_gets_rules_colours_and_a_spinner(
    at_home: Billing, api: FakeApi, late: FakeApartment
) -> None:
    api.answer_seconds = 0.3
    with on_screen(at_home, "debts") as screen:
        shown = screen.end()
    assert "─────" in shown
    assert re.search(r"\x1b\[1;31m\s*7 days", shown)
    assert "Fetching the debts" in shown
    assert re.search(r"0:00:0\d", shown)


def test_no_color_is_respected(at_home: Billing, late: FakeApartment) -> None:
    with on_screen(at_home, "debts", NO_COLOR="1") as screen:
        shown = screen.end()
    assert "7 days" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_pipe_gets_plain_text_whole(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [bill(provider={"provider_id": "p", "name": "x" * 300})]
    done = subprocess.run(
        [*COMMAND, "debts"], env=environment(at_home), capture_output=True, check=True, text=True
    )
    assert "x" * 300 in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_pipe_that_knows_only_ascii_gets_marks(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [bill(provider={"provider_id": "p", "name": "Газ"})]
    done = subprocess.run(
        [*COMMAND, "debts"],
        env=environment(at_home, PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=True,
    )
    assert b"???" in done.stdout


def test_a_reader_that_leaves_early_costs_no_traceback(
    at_home: Billing, flat: FakeApartment
) -> None:
    flat.debts = [bill() for _ in range(1000)]
    done = subprocess.run(  # noqa: S602 - a pipe of the shell is what is tested
        f"{shlex.quote(sys.executable)} -m billing_client debts | head -1",
        shell=True,
        env=environment(at_home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Utility" in done.stdout
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_waiting_ends_with_130_and_keeps_the_payment(
    at_home: Billing, api: FakeApi, late: FakeApartment
) -> None:
    api.silent = {"payments"}
    with on_screen(at_home, "pay", "--all") as screen:
        screen.until("Pay now?")
        screen.write("y\n")
        screen.until("Paying 51.40 EUR")
        while not api.calls("GET", "payments"):
            time.sleep(0.02)
        screen.process.send_signal(signal.SIGINT)
        shown = screen.end()
    assert screen.process.returncode == 130
    assert "Interrupted" in shown
    assert "billing pay --resume" in shown
    assert "Traceback" not in shown
    api.silent = set()
    assert "The pending payment was made." in at_home.ok("pay", "--resume")


def test_ctrl_c_at_the_question_pays_nothing(at_home: Billing, late: FakeApartment) -> None:
    with on_screen(at_home, "pay", "--all") as screen:
        screen.until("Pay now?")
        # A signal in the instant before the read starts is only seen after the next key.
        time.sleep(0.3)
        screen.process.send_signal(signal.SIGINT)
        screen.end()
    assert screen.process.returncode == 130
    assert late.events == []


def test_a_password_is_not_shown(billing: Billing, flat: FakeApartment) -> None:
    with on_screen(billing, "login", "ada") as screen:
        screen.until("Password")
        screen.write("secret\n")
        shown = screen.end()
    assert "Logged in as" in shown
    assert "secret" not in shown


def test_names_can_not_steer_the_terminal(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [bill(utility=HOSTILE, provider={"provider_id": HOSTILE, "name": HOSTILE})]
    shown = at_home.ok("debts") + at_home.ok("pay", "--all", "--yes") + at_home.ok("history")
    shown += at_home.ok("history", "--by", "provider") + at_home.ok("history", "--csv")
    for character in "\x1b\x07\x9b\u202e\u200b":
        assert character not in shown
    assert "[red]Gas[/red] :smile: next" in shown


def test_json_is_whole_and_can_not_steer_the_terminal(
    at_home: Billing, flat: FakeApartment
) -> None:
    flat.debts = [bill(provider={"provider_id": "p", "name": HOSTILE})]
    shown = at_home.ok("debts", "--json")
    for character in "\x1b\x07\x9b\u202e\u200b":
        assert character not in shown
    assert json.loads(shown)["debts"][0]["provider"]["name"] == HOSTILE


def test_what_an_error_says_can_not_steer_the_terminal(at_home: Billing, api: FakeApi) -> None:
    api.failing["utils"] = HOSTILE
    result = at_home.run("debts")
    assert "\x1b" not in result.stderr
    assert "[red]Gas[/red]" in result.stderr


def test_names_in_any_script_line_up(at_home: Billing, flat: FakeApartment) -> None:
    flat.debts = [bill(provider={"provider_id": n, "name": n}) for n in SCRIPTS]
    lines = at_home.ok("debts").splitlines()[1 : 1 + len(SCRIPTS)]
    ends = {cell_len(line[: line.index(" EUR")]) for line in lines}
    assert len(ends) == 1


def test_letters_stay_as_they_are() -> None:
    assert [safe(name) for name in SCRIPTS] == SCRIPTS


def test_json_text_escapes_only_what_is_unsafe() -> None:
    assert json_text("Газ \x9b\u2028") == '"Газ \\u009b\\u2028"'


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2024-02-01", "2024-02-29", "2024-02"),
        ("2023-02-01", "2023-02-28", "2023-02"),
        ("2026-10-01", "2026-12-31", "2026-10-01 to 2026-12-31"),
        ("2026-10-02", "2026-10-31", "2026-10-02 to 2026-10-31"),
    ],
)
def test_a_whole_month_reads_as_one(first: str, last: str, text: str) -> None:
    one = bill(period={"from": first, "to": last})
    data = {"apartment_id": "a", "version": 1, "as_of": "2026-11-22T00:00:00Z", "debts": [one]}
    assert period_text(decode_debts([Fields.of(data, "data")]).debts[0].period) == text


def test_short_ids_tell_bills_apart() -> None:
    assert short_ids(["aaaaaaaa-1", "aaaaaaaa-2"]) == {
        "aaaaaaaa-1": "aaaaaaaa-1",
        "aaaaaaaa-2": "aaaaaaaa-2",
    }


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://api.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_a_way_without_tls_is_private_on_this_machine_only(url: str, private: bool) -> None:
    assert is_private_connection(url) is private

"""Load on a service that runs: outcomes, never times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import pytest
from billing_client import PendingRequest
from click.testing import CliRunner

from tools.load.__main__ import main
from tools.load.flood import flood
from tools.load.report import Recording
from tools.load.run import Settings, check_ledger, run
from tools.load.target import Target, own_stack
from tools.load.users import User
from tools.load.workload import OPERATIONS, arrivals

MIX = dict.fromkeys(OPERATIONS, 1.0)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with own_stack() as target:
        yield target


def test_an_open_loop_calls_everything_that_was_planned(target: Target) -> None:
    report = run(target, Settings(users=3, mix=MIX, seconds=4, rate=4))
    planned = len(arrivals(MIX, rate=4, seconds=4, users=3, seed="1"))
    assert report["all"]["count"] == planned
    assert report["all"]["errors"] == {}
    assert report["all"]["answered_ms"]["count"] == planned
    assert report["all"]["accepted_ms"]["count"] == planned
    assert report["responses"]["POST 202"] >= planned
    ledger = report["ledger"]
    assert ledger["holds"], ledger
    assert ledger["receipts"] == report["operations"]["pay"]["count"] > 0
    assert ledger["reconciled"]


def test_all_users_of_a_closed_loop_are_answered(target: Target) -> None:
    report = run(target, Settings(users=2, mix=MIX, seconds=2, think=0.1))
    assert report["all"]["errors"] == {}
    assert report["all"]["count"] >= 2
    assert report["ledger"]["holds"], report["ledger"]


def test_lost_requests_and_untrue_receipts_are_found(target: Target) -> None:
    resident = target.residents[0]
    with closing(User(resident, Recording(), api=target.api, timeout=30)) as user:
        user.login()
        path = f"/apartments/{resident.apartment_id}/utils"
        late = PendingRequest("utils", path)
        lost = replace(late, queue_name=str(uuid4()), request_id="lost")
        user.pending, user.receipts = [late, lost], {"bill": "payment"}
        found = check_ledger(target, [user], settle_seconds=10)
    assert (found["unanswered"], found["wrong_receipts"]) == (["lost"], ["bill"])
    assert not found["holds"]


def test_the_command_loads_a_service_that_runs(target: Target, tmp_path: Path) -> None:
    credentials = tmp_path / "residents.json"
    residents = [
        {**asdict(resident), "apartments": [resident.apartment_id]} for resident in target.residents
    ]
    credentials.write_text(json.dumps({"residents": residents}), encoding="utf-8")
    out = tmp_path / "out" / "report.json"
    arguments = [
        *("--url", target.api, "--credentials", str(credentials), "--out", str(out)),
        *("--users", "2", "--seconds", "2", "--rate", "3", "--mix", "debts=1,sync=1"),
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["all"]["count"] > 0
    assert report["ledger"]["reconciled"] is None


def test_a_quiet_resident_is_served_while_a_flood_waits(target: Target) -> None:
    found = flood(target, 400)
    assert found["calm_ms"]["count"] == found["flooded_ms"]["count"] > 0
    # In the order of arrival, nothing of the flood would be left after a later payment.
    assert found["flood_left"] > 0


def test_an_address_needs_credentials() -> None:
    done = CliRunner().invoke(main, ["--url", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "--credentials" in done.output

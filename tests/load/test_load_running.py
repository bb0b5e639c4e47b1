"""Load on a service that runs: outcomes, never times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.load.__main__ import main
from tools.load.run import Settings, run
from tools.load.target import Target, own_stack
from tools.load.workload import OPERATIONS, Mix

MIX = Mix(dict.fromkeys(OPERATIONS, 1.0))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with own_stack() as target:
        yield target


def test_an_open_loop_calls_everything_that_was_planned(target: Target) -> None:
    report = run(target, Settings(users=3, mix=MIX, seconds=4, rate=4, poisson=False))
    assert report["all"]["count"] == 16
    assert report["all"]["errors"] == {}
    assert report["all"]["answered_ms"]["count"] == report["all"]["accepted_ms"]["count"] == 16
    assert report["responses"]["POST 202"] >= 16
    ledger = report["ledger"]
    assert ledger["holds"], ledger
    assert ledger["receipts"] == report["operations"]["pay"]["count"] > 0
    assert ledger["ledger_checked"]


def test_all_users_of_a_closed_loop_are_answered(target: Target) -> None:
    report = run(target, Settings(users=2, mix=MIX, seconds=2, think=0.1))
    assert report["all"]["errors"] == {}
    assert report["all"]["count"] >= 2
    assert report["ledger"]["holds"], report["ledger"]


def test_the_command_loads_a_service_that_runs(target: Target, tmp_path: Path) -> None:
    credentials = tmp_path / "residents.json"
    residents = [
        {**asdict(resident), "apartments": [resident.apartment_id]} for resident in target.residents
    ]
    credentials.write_text(json.dumps({"residents": residents}), encoding="utf-8")
    arguments = [
        *("open", "--url", target.api, "--credentials", str(credentials)),
        *("--users", "2", "--seconds", "2", "--rate", "3", "--mix", "debts=1,sync=1"),
        *("--out", str(tmp_path / "out")),
    ]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "out" / "open.json").read_text(encoding="utf-8"))
    assert report["all"]["count"] > 0
    assert not report["ledger"]["ledger_checked"]


def test_an_address_needs_credentials() -> None:
    done = CliRunner().invoke(main, ["closed", "--url", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "--credentials" in done.output

"""Load on a service that runs: outcomes, never times."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from tools.load.cli import main
from tools.load.overload import Plan
from tools.load.report import SCHEMA, report
from tools.load.runs import Wishes, run_closed, run_open, run_overload
from tools.load.schedule import OPERATIONS, Mix
from tools.load.target import Target, local_target, own_target
from tools.local.stack import Stack

MIX = Mix(dict.fromkeys(OPERATIONS, 1.0))
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def quiet(_line: str) -> None:
    """Say nothing."""


@pytest.fixture
def target(stack: Stack) -> Iterator[Target]:
    with local_target(stack.cloud) as target:
        yield target


def assert_right(kind: str, run: dict[str, Any]) -> None:
    """Everything accepted is answered, the books are right, and the report is as documented."""
    ledger = run["ledger"]
    assert ledger["holds"], ledger
    assert ledger["books_known"]
    assert ledger["accepted"] == ledger["answered"] > 0
    VALIDATOR.validate(report(kind, settings={}, runs=[run]))


def test_an_open_loop_asks_all_that_was_planned(target: Target) -> None:
    wishes = Wishes(users=3, mix=MIX, seconds=4)
    run = run_open(target, wishes, rate=4, poisson=False, progress=quiet)
    assert run["all"]["count"] == 16
    assert run["all"]["errors"] == {}
    assert run["all"]["answered_ms"]["count"] == run["all"]["accepted_ms"]["count"] == 16
    assert run["ledger"]["receipts"] == run["operations"]["pay"]["count"]
    assert run["responses"]["POST 202"] >= 16
    assert_right("open", run)


def test_users_of_a_closed_loop_are_all_answered(target: Target) -> None:
    wishes = Wishes(users=2, mix=MIX, seconds=2)
    run = run_closed(target, wishes, think_seconds=0.1, progress=quiet)
    assert run["all"]["errors"] == {}
    assert run["all"]["count"] >= 2
    assert_right("closed", run)


def test_an_overload_loses_nothing_and_passes(target: Target) -> None:
    plan = Plan(
        MIX, rate=1, factor=3, stage_seconds=1, calm_seconds=1, behind_seconds=0.2, hold_seconds=1
    )
    run = run_overload(target, Wishes(users=8, mix=MIX), plan, progress=quiet)
    overload = run["overload"]
    assert overload["peak_rate"] > plan.rate
    assert overload["began"] < overload["ended"]
    assert overload["recovery_seconds"] is not None
    assert max(depth["outstanding"] for depth in run["depths"]) > 0
    assert_right("overload", run)


def test_more_than_the_throttles_let_pass_is_told_to_wait() -> None:
    wishes = Wishes(users=2, mix=Mix({"debts": 1.0}), seconds=3)
    with own_target({"BILLING_THROTTLE_SHARE": "0.02"}) as target:
        run = run_open(target, wishes, rate=15, poisson=False, progress=quiet)
    assert run["responses"]["POST 429"] > 0
    assert set(run["all"]["errors"]) <= {"too_many_requests"}
    assert_right("open", run)


def test_the_command_loads_a_service_that_runs(stack: Stack, tmp_path: Path) -> None:
    credentials = tmp_path / "residents.json"
    credentials.write_text(json.dumps(stack.demo), encoding="utf-8")
    done = CliRunner().invoke(
        main,
        [
            *("open", "--url", stack.base_url, "--credentials", str(credentials)),
            *("--users", "2", "--seconds", "2", "--rate", "3", "--mix", "debts=1,sync=1"),
            *("--out", str(tmp_path / "out")),
        ],
    )
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "out" / "open.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(content)
    assert content["settings"]["mix"] == "debts=1,sync=1"
    assert not content["runs"][0]["ledger"]["books_known"]
    assert (tmp_path / "out" / "open.svg").read_text(encoding="utf-8").startswith("<svg")


def test_an_address_needs_credentials(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["closed", "--url", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "--credentials" in done.output

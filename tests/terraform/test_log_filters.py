"""What the alarms look for in the logs is what the functions write there."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from redis import exceptions

from billing_app.adapters.redis_cache import RedisCache
from billing_app.domain.errors import Rejection, Unavailable
from chalicelib import functions
from chalicelib.bootstrap import Bootstrap
from chalicelib.logs import JsonFormatter
from chalicelib.settings import Settings
from tests.support.terraform import TERRAFORM

ENVIRONMENT = {"BILLING_PREFIX": "test", "DATABASE_SECRET_ID": "test/database/operator"}
MODULE = TERRAFORM / "modules" / "observability" / "main.tf"


def wanted(name: str) -> dict[str, str]:
    """Fields and values that the pattern of a log metric filter asks for, all of them."""
    text = MODULE.read_text(encoding="utf-8")
    filter_ = text.partition(f'"aws_cloudwatch_log_metric_filter" "{name}"')[2]
    pattern = re.search(r"pattern +=(.*)", filter_)
    assert pattern is not None
    found = dict(re.findall(r'\$\.(\w+) = \\"(.*?)\\"', pattern[1]))
    assert len(found) == pattern[1].count("$.") == pattern[1].count("&&") + 1
    return found


def found(name: str, caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Lines of the log that the filter counts."""
    fields = wanted(name).items()
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [line for line in lines if fields <= {k: str(v) for k, v in line.items()}.items()]


def test_a_cache_that_is_out_of_reach_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    def unreachable() -> dict[str, Any]:
        raise exceptions.ConnectionError

    cache = RedisCache(secret=unreachable, renew_secret=lambda: None)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert cache.ask(key="key")() is None
    assert len(found("cache_left_alone", caplog)) == 1


def run_by_schedule(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Any:
    """Run the scheduled check, with something else in place of its work."""
    monkeypatch.setattr(functions, "reconcile_by_schedule", lambda *_: work())
    adapters = Bootstrap(Settings.from_environment(ENVIRONMENT))
    vars(adapters)["admin_context"] = None
    return functions.reconcile(adapters, functions.SCHEDULED, seconds=900)


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (Rejection("ledger_differs", data={"checked": 7}), 1),
        (Rejection("check_overdue", data={"checked": 7}), 0),
        (Unavailable("gone"), 0),
    ],
    ids=["differs", "overdue", "away"],
)
def test_a_run_of_the_schedule_fails_unless_everything_agrees(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    times: int,
) -> None:
    """Also when the database is away: nobody reads the answer."""

    def fail() -> object:
        raise error

    with caplog.at_level(logging.WARNING), pytest.raises(functions.NotReconciled):
        run_by_schedule(monkeypatch, fail)
    assert len(found("ledger_differs", caplog)) == times
    assert [getattr(one, "checked", None) for one in caplog.records] == [
        7 if isinstance(error, Rejection) else None
    ]


def test_a_run_of_the_schedule_that_agrees_logs_how_far_it_came(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = {"checked": 5, "apartments": 9, "waiting": 4, "oldest_check": "2026-11-01"}
    with caplog.at_level(logging.INFO):
        assert run_by_schedule(monkeypatch, lambda: progress)["status"] == "done"
    assert progress.items() <= vars(caplog.records[-1]).items()

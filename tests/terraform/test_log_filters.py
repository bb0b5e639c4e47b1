"""What the alarms look for in the logs is what the functions write there."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from redis import exceptions

from billing_app.adapters.redis_cache import RedisCache
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


@pytest.mark.parametrize(("code", "times"), [("ledger_differs", 1), ("service_unavailable", 0)])
def test_a_ledger_that_differs_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, code: str, times: int
) -> None:
    monkeypatch.setattr(
        functions,
        "handle_event",
        lambda *_args, **_named: ("reconcile", {"status": "rejected", "code": code}),
    )
    adapters = Bootstrap(Settings.from_environment(ENVIRONMENT))
    vars(adapters)["admin_context"] = None
    with caplog.at_level(logging.WARNING), pytest.raises(functions.NotReconciled):
        functions.reconcile(adapters, functions.SCHEDULED)
    assert len(found("ledger_differs", caplog)) == times


def test_a_run_of_the_schedule_fails_unless_everything_agrees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the database is away: nobody reads the answer."""
    answers: dict[str, Any] = {"status": "failed", "code": "service_unavailable"}
    monkeypatch.setattr(functions, "handle_event", lambda *_args, **_named: ("reconcile", answers))
    adapters = Bootstrap(Settings.from_environment(ENVIRONMENT))
    vars(adapters)["admin_context"] = None
    assert functions.reconcile(adapters, {}) == answers
    with pytest.raises(functions.NotReconciled, match="service_unavailable"):
        functions.reconcile(adapters, functions.SCHEDULED)
    answers.update(status="done", code=None)
    assert functions.reconcile(adapters, functions.SCHEDULED) == answers

"""The environment decides where the local stack lives and which servers it uses."""

from __future__ import annotations

import pytest

from tools.local.errors import LocalStackError
from tools.local.settings import REPOSITORY, read_settings


def test_without_any_variable_everything_is_embedded() -> None:
    settings = read_settings({})
    assert settings.state == REPOSITORY / ".local"
    assert settings.port == 8000
    assert (settings.database_url, settings.redis_url, settings.aws_endpoint_url) == (None,) * 3


def test_the_visibility_timeout_follows_the_function_timeout() -> None:
    settings = read_settings({"BILLING_FUNCTION_TIMEOUT": "3"})
    assert settings.visibility_timeout_seconds("payments") == 18


def test_workers_are_counted_by_function() -> None:
    settings = read_settings({"BILLING_WORKERS": "utils=3"})
    assert (settings.workers["utils"], settings.workers["payments"]) == (3, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("BILLING_FUNCTION_TIMEOUT", "-1"),
        ("BILLING_WORKERS", "payment=2"),
        ("BILLING_WORKERS", "payments=0"),
        ("BILLING_THROTTLE_SHARE", "0"),
        ("BILLING_THROTTLE_SHARE", "half"),
    ],
)
def test_a_wrong_value_is_rejected_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(LocalStackError, match=name):
        read_settings({name: value})

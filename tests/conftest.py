"""Fixtures that several kinds of tests share."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.aws_fixtures",
    "tests.support.hypothesis_profiles",
    "tests.support.cache_fixtures",
    "tests.support.packages",
    "tests.support.postgres_fixtures",
    "tests.support.stack",
    "tests.support.api",
]

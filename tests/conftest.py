"""Fixtures that several kinds of tests share."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.fixtures",
    "tests.support.hypothesis_profiles",
    "tests.support.packages",
    "tests.support.api",
]

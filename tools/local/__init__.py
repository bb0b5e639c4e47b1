"""The same service on one machine: embedded servers, workers, the gateway and demo data."""

from __future__ import annotations

from tools.local.cloud import environment, read_cloud
from tools.local.errors import LocalStackError

__all__ = ["LocalStackError", "environment", "read_cloud"]

"""The executor of the contract: runs the OpenAPI document on this machine as API Gateway would."""

from __future__ import annotations

from tools.local.gateway.app import create_app
from tools.local.gateway.document import render

__all__ = ["create_app", "render"]

"""The executor of the contract: runs the OpenAPI document on this machine as API Gateway would."""

from localcloud.gateway.app import create_app
from localcloud.gateway.document import render

__all__ = ["create_app", "render"]

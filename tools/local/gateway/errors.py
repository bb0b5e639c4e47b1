"""What API Gateway rejects by itself, named as its gateway response types."""

from __future__ import annotations


class GatewayError(Exception):
    """The request ends in a gateway response; `kind` is its type, `reason` is for our log alone."""

    def __init__(self, kind: str, reason: str = "") -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason

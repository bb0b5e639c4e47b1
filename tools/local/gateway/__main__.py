"""`python -m tools.local.gateway`: the gateway as a process, set up by its environment.

BILLING_PREFIX, AWS_ENDPOINT_URL, USER_POOL_ID and USER_POOL_CLIENT_ID are needed; the rest as in
docs/local.md.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.local.gateway import create_app, render
from tools.local.gateway.server import make_http_server
from tools.local.gateway.sqs import Sqs, make_client
from tools.local.gateway.throttle import Throttles
from tools.local.gateway.tokens import pool_keys
from tools.local.health import check_health
from tools.local.processes import stop_on_signals
from tools.local.service import service
from tools.local.settings import ACCOUNT_ID, read_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def app_from(environ: Mapping[str, str]) -> WSGIApplication:
    """Make the application by the environment; it also answers `GET /health` for all parts.

    Raises:
        KeyError: A variable is missing.
    """
    settings, endpoint_url = read_settings(environ), environ["AWS_ENDPOINT_URL"]

    def health() -> dict[str, Any]:
        parts = check_health(settings.state)
        return {"ready": all(parts.values()), "parts": parts}

    return create_app(
        document=render(
            prefix=environ["BILLING_PREFIX"],
            region=settings.region,
            account_id=ACCOUNT_ID,
            user_pool_id=environ["USER_POOL_ID"],
            user_pool_client_id=environ["USER_POOL_CLIENT_ID"],
        ),
        backend=Sqs(make_client(endpoint_url=endpoint_url, region=settings.region)),
        keys=lambda arn: pool_keys(arn, endpoint_url),
        health=health,
        throttles=Throttles(service().throttles, share=settings.throttle_share),
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    port = read_settings().port
    server = make_http_server(app_from(os.environ), host="127.0.0.1", port=port)
    stop_on_signals(server.shutdown)
    server.serve_forever()


if __name__ == "__main__":
    main()

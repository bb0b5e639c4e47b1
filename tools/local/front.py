"""The gateway's process under ``up``: it also answers ``GET /health`` for all the parts."""

import logging
import os
import sys
import threading
from typing import Any

from tools.local.gateway import create_app, render
from tools.local.gateway.server import make_http_server
from tools.local.gateway.throttle import Throttles
from tools.local.health import check_health
from tools.local.service import service
from tools.local.settings import ACCOUNT_ID, read_settings
from tools.local.worker import stop_on_sigterm


def main() -> None:
    """Serve until SIGTERM, set up by its environment as a function is."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    settings = read_settings()

    def health() -> dict[str, Any]:
        now = check_health(settings.state)
        return {"ready": now.ready, "parts": now.parts}

    application = create_app(
        document=render(
            prefix=settings.prefix,
            region=settings.region,
            account_id=ACCOUNT_ID,
            user_pool_id=os.environ["USER_POOL_ID"],
            user_pool_client_id=os.environ["USER_POOL_CLIENT_ID"],
        ),
        endpoint_url=settings.aws_endpoint_url,
        region=settings.region,
        health=health,
        throttles=Throttles(service().throttles, share=settings.throttle_share),
    )
    server = make_http_server(application, host="127.0.0.1", port=settings.port)
    # shutdown() waits for serve_forever(), which the signal interrupts.
    stop_on_sigterm(lambda: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    main()

"""`python -m tools.local.gateway`: the gateway as a process of its own, set up by its environment.

BILLING_PREFIX, AWS_REGION, USER_POOL_ID and USER_POOL_CLIENT_ID are needed. AWS_ENDPOINT_URL,
ACCOUNT_ID (123456789012), HOST (127.0.0.1), PORT (8000), STAGE, GATEWAY_RATE and GATEWAY_BURST
(to each operation per second and at once; unlimited) may be set.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tools.local.gateway import create_app, render
from tools.local.gateway.server import make_http_server
from tools.local.gateway.throttle import Throttles
from tools.local.service import Throttle

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM or SIGINT; 2 when a variable is missing or the port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        app = app_from(environment)
        port = int(environment.get("PORT", "8000"))
        server = make_http_server(app, host=environment.get("HOST", "127.0.0.1"), port=port)
    except KeyError as error:
        return _reject(f"set the environment variable {error.args[0]}")
    except OSError as error:
        return _reject(f"the port can't be used, set another PORT: {error.strerror}")
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the serving thread, which is the one that the signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    return 0


def app_from(environment: Mapping[str, str]) -> WSGIApplication:
    """Make the application by the environment; raises KeyError for a variable that is missing."""
    return create_app(
        document=render(
            prefix=environment["BILLING_PREFIX"],
            region=environment["AWS_REGION"],
            account_id=environment.get("ACCOUNT_ID", "123456789012"),
            user_pool_id=environment["USER_POOL_ID"],
            user_pool_client_id=environment["USER_POOL_CLIENT_ID"],
        ),
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region=environment["AWS_REGION"],
        stage=environment.get("STAGE") or None,
        throttles=_throttles(environment),
    )


def _throttles(environment: Mapping[str, str]) -> Throttles | None:
    rate = environment.get("GATEWAY_RATE")
    if not rate:
        return None
    limit = Throttle(rate=float(rate), burst=int(environment.get("GATEWAY_BURST", "1")))
    return Throttles({"posts": limit, "polls": limit})


def _reject(what: str) -> int:
    print(f"gateway: {what}", file=sys.stderr)  # noqa: T201 - this is a command
    return 2


if __name__ == "__main__":
    sys.exit(main())

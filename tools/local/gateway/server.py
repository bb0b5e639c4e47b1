"""Serving the gateway over HTTP, a thread for each request: a long poll blocks its own alone."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    """Leaves the log to the application: these lines would carry queue names and receipts."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Write nothing."""


def make_http_server(app: WSGIApplication, *, host: str, port: int) -> BaseWSGIServer:
    """Bind host and port, ready to serve_forever().

    Raises:
        OSError: The port is taken.
    """
    # Werkzeug would end the process when it can't bind.
    with socket.create_server((host, port), backlog=512) as bound:
        return make_server(
            host,
            bound.getsockname()[1],
            app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=bound.fileno(),
        )

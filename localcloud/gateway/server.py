"""Serving the gateway over HTTP: a thread for each request, so that long polls don't stand in each other's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    """Leaves the log to the application: Werkzeug's lines would carry queue names and query strings."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Write nothing."""


def make_http_server(app: WSGIApplication, *, host: str, port: int) -> BaseWSGIServer:
    """Bind host and port; call serve_forever() on the result. Raises OSError when the port is taken."""
    return make_server(host, port, app, threaded=True, request_handler=_QuietHandler)

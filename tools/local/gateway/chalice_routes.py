"""The contract under `chalice local`: a Chalice route for each operation, run by the executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from chalice.app import Chalice, MultiDict, Response
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as WsgiResponse

from tools.local.cloud import environment
from tools.local.gateway.__main__ import app_from
from tools.local.gateway.document import METHODS, SOURCE, parse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def mount(app: Chalice) -> None:
    """Register the contract's paths with a Chalice app, for the service that `make up` has started.

    Chalice's own checks are kept out of it (no content types, no authorizer), so that the executor
    gives every answer.

    Raises:
        LocalStackError: Nothing was started yet.
    """
    view = _view(app, app_from(environment("gateway")))
    for path, methods in _routes().items():
        app.route(path, methods=methods, content_types=[], name=path)(view)


def _routes() -> dict[str, list[str]]:
    paths = parse(SOURCE.read_text("utf-8"))["paths"]
    return {path: [name.upper() for name in METHODS if name in paths[path]] for path in paths}


def _view(app: Chalice, gateway: WSGIApplication) -> Callable[..., Response]:
    def serve(**_: str) -> Response:
        answer = WsgiResponse.from_app(gateway, _environ(app.current_request))
        return Response(
            body=answer.get_data(as_text=True),
            status_code=answer.status_code,
            headers=dict(answer.headers),
        )

    return serve


def _environ(request: Any) -> dict[str, Any]:
    found = request.query_params or MultiDict({})
    query = [(name, value) for name in found for value in found.getlist(name)]
    # The path as the client sent it: the executor decodes it itself.
    path = request.context["path"]
    return create_environ(
        method=request.method,
        query_string=urlencode(query),
        headers=dict(request.headers),
        data=request.raw_body or b"",
        environ_overrides={"REQUEST_URI": path, "RAW_URI": path, "PATH_INFO": path},
    )

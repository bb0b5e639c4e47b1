"""The contract under `chalice local`: a Chalice route for each operation, run by the executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from chalice.app import Chalice, Response
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as WsgiResponse

from tools.local.cloud import environment
from tools.local.gateway.__main__ import app_from
from tools.local.gateway.document import METHODS, SOURCE
from tools.local.gateway.health_and_docs import public_document

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def mount(app: Chalice, gateway: WSGIApplication | None = None) -> None:
    """Register the contract's paths with a Chalice app.

    Without a gateway one is made for the service that `make up` has started; raises
    LocalStackError when there is none.
    Chalice's own checks are kept out of it (no content types, no authorizer), so that the executor
    gives every answer.
    """
    view = _view(app, gateway or app_from(environment("gateway")))
    for path, methods in _routes().items():
        app.route(path, methods=methods, content_types=[], name=path)(view)


def _routes() -> dict[str, list[str]]:
    paths = public_document(SOURCE.read_text("utf-8"))["paths"]
    return {
        path: [name.upper() for name in METHODS if name in (*item, "options")]
        for path, item in paths.items()
    }


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
    query = urlencode(_query(request))
    environ = create_environ(
        method=request.method,
        path="/",
        query_string=query,
        headers=dict(request.headers),
        data=request.raw_body or b"",
    )
    # The path as the client sent it: the executor decodes it itself.
    environ["REQUEST_URI"] = environ["RAW_URI"] = request.context["path"]
    environ["PATH_INFO"] = request.context["path"]
    return environ


def _query(request: Any) -> list[tuple[str, str]]:
    parameters = request.query_params
    if parameters is None:
        return []
    return [(name, value) for name in parameters for value in parameters.getlist(name)]

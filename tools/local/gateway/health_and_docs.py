"""What stands beside the contract here: /health, and /docs with the contract in Swagger UI."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import swagger_ui_bundle
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect, send_from_directory
from werkzeug.wrappers import Response

from tools.local.gateway.document import parse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# In place of the bundle's own, which shows another document.
_INITIALIZER = """window.onload = function () {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    tryItOutEnabled: true,
    persistAuthorization: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "BaseLayout",
  });
};
"""


def public_document(document: str) -> dict[str, Any]:
    """Give the document as clients should read it: without extensions and CORS preflights.

    `x-links` become the links that they are.
    """
    tree: dict[str, Any] = _published(parse(document))
    for item in tree["paths"].values():
        item.pop("options", None)
    return tree


class HealthAndDocs:
    """Answers what is not part of the contract."""

    def __init__(self, document: str, health: Callable[[], Mapping[str, Any]] | None) -> None:
        self._health = health
        self._lock = threading.Lock()
        self._pages = {
            "swagger-initializer.js": (_INITIALIZER, "text/javascript"),
            "openapi.json": (json.dumps(public_document(document)), "application/json"),
        }

    def answer(self, environ: WSGIEnvironment) -> Response | None:
        """Answer GET of /health and /docs; None for everything else."""
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        if path == "/health":
            return self._answer_health()
        if path == "/docs":
            return redirect("/docs/")
        if path.startswith("/docs/"):
            return self._page(path.removeprefix("/docs/") or "index.html", environ)
        return None

    def _answer_health(self) -> Response:
        # One look at a time: each connects to the database, and anybody may ask.
        with self._lock:
            state = self._health() if self._health else {"ready": True}
        status = 200 if state.get("ready") else 503
        return Response(json.dumps(state), status, content_type="application/json")

    def _page(self, name: str, environ: WSGIEnvironment) -> Response | None:
        if name in self._pages:
            text, media_type = self._pages[name]
            return Response(text, content_type=f"{media_type}; charset=utf-8")
        try:
            return send_from_directory(swagger_ui_bundle.swagger_ui_path, name, environ)
        except NotFound:
            return None


def _published(node: Any) -> Any:
    if isinstance(node, dict):
        named = {"links" if key == "x-links" else key: value for key, value in node.items()}
        kept = {key: value for key, value in named.items() if not str(key).startswith("x-")}
        return {key: _published(value) for key, value in kept.items()}
    return [_published(entry) for entry in node] if isinstance(node, list) else node

"""What stands beside the contract here: /health, and /docs with the contract in Swagger UI."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import swagger_ui_bundle
from werkzeug.security import safe_join
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from tools.local.gateway.document import parse

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_SWAGGER_UI = Path(str(swagger_ui_bundle.swagger_ui_path))
_SETUP = """window.onload = function () {
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
_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Utilities billing</title>
    <link rel="stylesheet" href="swagger-ui.css">
    <link rel="icon" type="image/png" href="favicon-32x32.png" sizes="32x32">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="swagger-ui-bundle.js"></script>
    <script src="swagger-ui-standalone-preset.js"></script>
    <script src="setup.js"></script>
  </body>
</html>
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
        self._pages = {
            "": (_PAGE, "text/html"),
            "setup.js": (_SETUP, "text/javascript"),
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
        return self._page(path.removeprefix("/docs/")) if path.startswith("/docs/") else None

    def _answer_health(self) -> Response:
        state = self._health() if self._health else {"ready": True}
        status = 200 if state.get("ready") else 503
        return Response(json.dumps(state), status, content_type="application/json")

    def _page(self, name: str) -> Response | None:
        if name in self._pages:
            text, media_type = self._pages[name]
            return Response(text, content_type=f"{media_type}; charset=utf-8")
        return _asset(name)


def _asset(name: str) -> Response | None:
    path = safe_join(str(_SWAGGER_UI), name)
    if path is None or not Path(path).is_file():
        return None
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(Path(path).read_bytes(), content_type=media_type)


def _published(node: Any) -> Any:
    if isinstance(node, dict):
        named = {"links" if key == "x-links" else key: value for key, value in node.items()}
        kept = {key: value for key, value in named.items() if not str(key).startswith("x-")}
        return {key: _published(value) for key, value in kept.items()}
    return [_published(entry) for entry in node] if isinstance(node, list) else node

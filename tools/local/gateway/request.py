"""One request as API Gateway sees it: raw path, decoded parameters, a UTF-8 body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.wrappers import Request

from tools.local.gateway.errors import GatewayError
from tools.local.gateway.vtl import Parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is as sent, still percent-encoded, without the query string."""

    request_id: str
    method: str
    path: str
    query: str
    headers: Parameters
    source_ip: str
    wsgi: Request

    @property
    def content_type(self) -> str:
        """The media type without its parameters; application/json when the client sent none."""
        return self.wsgi.mimetype or "application/json"

    def header(self, name: str) -> str | None:
        """Look up a header whatever its case."""
        return self.wsgi.headers.get(name)

    def body(self) -> str:
        """Read the body.

        Raises:
            GatewayError: It is too large or no UTF-8.
        """
        if (self.wsgi.content_length or 0) > MAX_BODY_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        raw = self.wsgi.stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE")
        return _utf8(raw)

    def query_parameters(self) -> Parameters:
        """Decode the query string; of a repeated name the last counts."""
        try:
            return Parameters(parse_qsl(self.query, keep_blank_values=True, errors="strict"))
        except ValueError as error:
            raise GatewayError("BAD_REQUEST_PARAMETERS", "query string") from error


def read_call(environ: WSGIEnvironment, request_id: str) -> Call:
    """Read the request line and the headers."""
    request = Request(environ)
    return Call(
        request_id=request_id,
        method=request.method,
        path=_raw_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=Parameters(request.headers.items()),
        source_ip=request.remote_addr or "",
        wsgi=request,
    )


def decode_segment(segment: str) -> str:
    """Decode a path parameter.

    Raises:
        GatewayError: Its percent-encoding is no UTF-8.
    """
    try:
        return unquote(segment, errors="strict")
    except ValueError as error:
        raise GatewayError("BAD_REQUEST_PARAMETERS", "path") from error


def _raw_path(environ: WSGIEnvironment) -> str:
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw and raw.startswith("/"):
        return str(raw).partition("?")[0]
    return quote(environ.get("PATH_INFO", "").encode("latin-1"))


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GatewayError("BAD_REQUEST_BODY", "not UTF-8") from error

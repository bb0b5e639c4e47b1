"""One request as API Gateway sees it: raw path, decoded parameters, a UTF-8 body."""

from __future__ import annotations

import uuid
from functools import cached_property
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from tools.local.gateway.errors import GatewayError
from tools.local.gateway.vtl import Parameters

MAX_BODY_BYTES = 10 * 1024 * 1024


class Call(Request):
    """One request, with an id of its own."""

    max_content_length = MAX_BODY_BYTES

    @cached_property
    def request_id(self) -> str:
        """The id that client, log and function know the request by."""
        return str(uuid.uuid4())

    @property
    def raw_path(self) -> str:
        """The path as sent, still percent-encoded, without the query string."""
        raw = self.environ.get("RAW_URI") or self.environ.get("REQUEST_URI")
        if raw and raw.startswith("/"):
            return str(raw).partition("?")[0]
        return quote(self.environ.get("PATH_INFO", "").encode("latin-1"))

    @property
    def media_type(self) -> str:
        """The content type without its parameters; application/json when the client sent none."""
        return self.mimetype or "application/json"

    def text(self) -> str:
        """Read the body.

        Raises:
            GatewayError: It is too large or no UTF-8.
        """
        try:
            return self.get_data().decode("utf-8")
        except RequestEntityTooLarge as error:
            raise GatewayError("REQUEST_TOO_LARGE") from error
        except UnicodeDecodeError as error:
            raise GatewayError("BAD_REQUEST_BODY", "not UTF-8") from error

    def query_parameters(self) -> Parameters:
        """Decode the query string; of a repeated name the last counts."""
        query = self.environ.get("QUERY_STRING", "")
        try:
            return Parameters(parse_qsl(query, keep_blank_values=True, errors="strict"))
        except ValueError as error:
            raise GatewayError("BAD_REQUEST_PARAMETERS", "query string") from error


def decode_segment(segment: str) -> str:
    """Decode a path parameter.

    Raises:
        GatewayError: Its percent-encoding is no UTF-8.
    """
    try:
        return unquote(segment, errors="strict")
    except ValueError as error:
        raise GatewayError("BAD_REQUEST_PARAMETERS", "path") from error

"""The WSGI application: the executor, its errors, its log and what stands beside the contract."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from tools.local.gateway.document import read
from tools.local.gateway.errors import GatewayError
from tools.local.gateway.executor import Backend, Executor
from tools.local.gateway.health_and_docs import HealthAndDocs
from tools.local.gateway.request import Call
from tools.local.gateway.throttle import Throttles
from tools.local.gateway.tokens import CognitoAuthorizer, Keys

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("tools.local.gateway")
_CONTEXT_VARIABLE = re.compile(r"\$context\.(\w+)")


def create_app(
    *,
    document: str,
    backend: Backend,
    keys: Callable[[str], Keys],
    stage: str | None = None,
    health: Callable[[], Mapping[str, Any]] | None = None,
    throttles: Throttles | None = None,
) -> WSGIApplication:
    """Make the application that serves a rendered document.

    `keys` gives those of a user pool by its ARN. `health` answers GET /health with {"ready": bool}
    and whatever else it says. With a `stage` all paths start with it, as on API Gateway. Without
    `throttles` any number of requests passes.
    """
    contract = read(document)
    authorizers = {
        name: CognitoAuthorizer([(arn, keys(arn)) for arn in arns])
        for name, arns in contract.user_pools.items()
    }
    executor = Executor(contract, authorizers, backend, stage)
    return GatewayApp(executor, HealthAndDocs(document, health), throttles)


class GatewayApp:
    """Serves the contract, /health and /docs."""

    def __init__(
        self, executor: Executor, extras: HealthAndDocs, throttles: Throttles | None
    ) -> None:
        self._executor = executor
        self._health_and_docs = extras
        self._throttles = throttles

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, as WSGI asks."""
        extra = self._health_and_docs.answer(environ)
        response = extra or self._serve(Call(environ))
        return response(environ, start_response)

    def _serve(self, call: Call) -> Response:
        started = time.monotonic()
        route, response, reason = self._answer(call)
        _log(call, route, response.status_code, reason, time.monotonic() - started)
        response.headers["x-amzn-RequestId"] = call.request_id
        return response

    def _answer(self, call: Call) -> tuple[str | None, Response, str | None]:
        route = None
        try:
            operation, path = self._executor.find(call)
            route = operation.path
            if self._throttles:
                self._throttles.take(operation.method, operation.path)
            return route, self._executor.run(operation, path, call), None
        except GatewayError as error:
            return (
                route,
                self._gateway_response(error, call),
                f"{error.kind} {error.reason}".strip(),
            )
        except Exception as error:
            # The last line of defence: API Gateway never shows a stack either.
            log.exception("the gateway failed")
            return route, self._gateway_response(GatewayError("DEFAULT_5XX"), call), repr(error)

    def _gateway_response(self, error: GatewayError, call: Call) -> Response:
        entry = self._executor.contract.gateway_responses[error.kind]
        values = {"requestId": call.request_id}
        body = _CONTEXT_VARIABLE.sub(lambda found: values[found[1]], entry.template)
        headers = {"Content-Type": "application/json", **entry.headers}
        return Response(body, entry.status, headers)


def _log(call: Call, route: str | None, status: int, reason: str | None, seconds: float) -> None:
    """Write one line: no body, no token, no query string, no path parameter."""
    record = {
        "request_id": call.request_id,
        "method": call.method,
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000),
    }
    log.info(json.dumps(record if reason is None else {**record, "reason": reason}))

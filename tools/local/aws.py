"""SQS, Cognito and Secrets Manager in one process: `python -m tools.local.aws`.

Moto answers; around it stand a queue that several processes can share, tokens that last as they
should, and a file from which Cognito's users come back after a restart.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.exceptions import Forbidden
from werkzeug.serving import make_server

from tools.local import moto_cognito, moto_sqs
from tools.local.processes import stop_on_signals

_COGNITO = "AWSCognitoIdentityProviderService."

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Handler(MotoRequestHandler):
    # Keeps connections open: half of a small request's time would go into connecting.
    protocol_version = "HTTP/1.1"


def create_application(users: moto_cognito.CognitoFile) -> WsgiApplication:
    """Moto's application, with the state of Cognito saved around its calls."""
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if is_from_a_browser(environ):
            return Forbidden()(environ, start_response)
        moto_sqs.serve_connection(environ.get("werkzeug.socket"))
        keep_from_being_a_form(environ)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        cognito = target.startswith(_COGNITO)
        with users.during(target.removeprefix(_COGNITO)) if cognito else nullcontext():
            answer: Iterable[bytes] = moto(environ, start_response)
        return answer

    return application


def is_from_a_browser(environ: Mapping[str, Any]) -> bool:
    """Tell whether a page in a browser sends the request, which could read every secret here.

    Browsers say so with `Origin`. Where a page's own name leads to this machine (DNS rebinding),
    they take it for the same origin, and `Host` has that name.
    """
    host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    return "HTTP_ORIGIN" in environ or host not in {"127.0.0.1", "localhost"}


def keep_from_being_a_form(environ: dict[str, Any]) -> None:
    """Write each & of a JSON body as its JSON escape.

    Moto reads every body as a form, too, and would obey an `&Action=PurgeQueue` that somebody
    wrote into a user name or a message. In JSON an & can only stand in a string.
    """
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-amz-json"):
        return
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).replace(b"&", b"\\u0026")
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def main(arguments: list[str] | None = None) -> None:
    """Answer on 127.0.0.1 until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tools.local.aws")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--cognito-file", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto_sqs.install()
    moto_cognito.install()
    users = moto_cognito.CognitoFile(options.cognito_file, options.region)
    users.load()
    server = make_server(
        "127.0.0.1",
        options.port,
        create_application(users),
        threaded=True,
        request_handler=_Handler,
    )
    stop_on_signals(server.shutdown)
    server.serve_forever()


if __name__ == "__main__":
    main()

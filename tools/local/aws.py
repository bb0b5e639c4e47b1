"""SQS, Cognito and Secrets Manager in one process: `python -m tools.local.aws`.

Moto answers; around it stand a queue that several processes can share, tokens that last as they
should, and a file from which Cognito's users come back after a restart.
"""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tools.local import moto_cognito, moto_sqs
from tools.local.files import read_json, write_private_json
from tools.local.processes import stop_on_signals

_COGNITO = "AWSCognitoIdentityProviderService."
_READS = ("Describe", "List", "Get", "AdminGet", "AdminList")
_LOGIN = "InitiateAuth"
_SAVE_SECONDS = 1.0

WsgiApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CognitoFile:
    """The file that Cognito's state is read from at the start and written to on each change."""

    def __init__(self, path: Path, region: str) -> None:
        self._path = path
        self._cognito = moto_cognito.backend(region)
        self._lock = threading.Lock()
        self._changed = threading.Event()

    def load(self) -> None:
        """Restore the users of the last run, if there was one."""
        kept = read_json(self._path)
        if kept is not None:
            moto_cognito.restore(self._cognito, kept)

    def note(self, action: str) -> None:
        """Save after an action that changed something; logins are saved together, a bit later."""
        if action.startswith(_READS):
            return
        self._changed.set()
        if action != _LOGIN:
            self.save()

    def save(self) -> None:
        """Write the file if anything changed since it was written."""
        with self._lock:
            if self._changed.is_set():
                self._changed.clear()
                write_private_json(self._path, moto_cognito.snapshot(self._cognito))

    def save_from_time_to_time(self, ended: threading.Event) -> None:
        """Save once a second until told to end, and once more then."""
        while not ended.wait(_SAVE_SECONDS):
            self.save()
        self.save()


class _Handler(MotoRequestHandler):
    # Keeps connections open: half of a small request's time would go into connecting.
    protocol_version = "HTTP/1.1"


def create_application(users: CognitoFile) -> WsgiApplication:
    """Moto's application, with the state of Cognito saved around its calls."""
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        moto_sqs.serve_connection(environ.get("werkzeug.socket"))
        keep_from_being_a_form(environ)
        answer: Iterable[bytes] = moto(environ, start_response)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(_COGNITO):
            users.note(target.removeprefix(_COGNITO))
        return answer

    return application


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


def serve(*, port: int, users: CognitoFile) -> None:
    """Answer on 127.0.0.1 until SIGTERM or SIGINT, then save and return."""
    server = make_server(
        "127.0.0.1", port, create_application(users), threaded=True, request_handler=_Handler
    )
    ended = threading.Event()
    saver = threading.Thread(target=users.save_from_time_to_time, args=(ended,))
    saver.start()
    stop_on_signals(server.shutdown)
    server.serve_forever()
    ended.set()
    saver.join()


def main(arguments: list[str] | None = None) -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(prog="python -m tools.local.aws")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--cognito-file", type=Path, required=True)
    options = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto_sqs.install()
    moto_cognito.install()
    users = CognitoFile(options.cognito_file, options.region)
    users.load()
    serve(port=options.port, users=users)


if __name__ == "__main__":
    main()

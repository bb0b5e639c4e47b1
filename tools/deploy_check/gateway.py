"""The applied REST API over HTTP: the executor of the local stack, in the gateway's own role."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt

from tools.deploy_check.cloud import Cloud
from tools.local.gateway import create_app
from tools.local.gateway.server import make_http_server
from tools.local.gateway.sqs import Sqs
from tools.local.gateway.tokens import Keys


@contextmanager
def serving(cloud: Cloud, document: str) -> Iterator[str]:
    """Serve the document on a free port while the block runs; yields the stage's URL."""
    stage = cloud.outputs["stage_name"]
    _write_log(cloud.environment.logs / "gateway.log")
    app = create_app(
        document=document,
        backend=Sqs(cloud.in_role(cloud.outputs["gateway_role_arn"], "sqs")),
        keys=lambda arn: _pool_keys(cloud, arn),
        stage=stage,
    )
    server = make_http_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/{stage}"
    finally:
        server.shutdown()
        thread.join()


def _write_log(file: Path) -> None:
    """Have each request logged, with why it was rejected."""
    log = logging.getLogger("tools.local.gateway")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.handlers = [logging.FileHandler(file)]


def _pool_keys(cloud: Cloud, user_pool_arn: str) -> Keys:
    pool: Any = user_pool_arn.rpartition("/")[2]
    trusted = ssl.create_default_context(cafile=str(cloud.environment.authority))
    url = f"{cloud.environment.aws_url}/{pool}/.well-known/jwks.json"
    return jwt.PyJWKClient(url, ssl_context=trusted)

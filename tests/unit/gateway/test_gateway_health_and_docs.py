"""What stands beside the contract: /health and /docs, without the internet."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import validate
from werkzeug.test import Client


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_health_says_whether_all_is_ready(
    serve: Callable[..., Client], ready: bool, status: int
) -> None:
    state = {"ready": ready, "parts": {"postgres": ready}}
    answer = serve(health=lambda: state).get("/health")
    assert (answer.status_code, answer.json) == (status, state)


def test_however_many_ask_for_health_one_looks(serve: Callable[..., Client]) -> None:
    """Each look connects to the database, and anybody may ask."""
    looking, together = threading.Lock(), []

    def look() -> dict[str, object]:
        together.append(not looking.acquire(blocking=False))
        time.sleep(0.01)
        looking.release()
        return {"ready": True}

    client = serve(health=look)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/health").status_code, range(16)))
    assert (answers, together) == ([200] * 16, [False] * 16)


def test_health_without_a_check_is_ready(client: Client) -> None:
    assert client.get("/health").json == {"ready": True}


def test_the_docs_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/docs", follow_redirects=True, buffered=True)
    assert page.content_type == "text/html; charset=utf-8"
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) == 7
    for asset in assets:
        answer = client.get(urljoin("/docs/", asset), buffered=True)
        assert (asset, answer.status_code) == (asset, 200)
        assert len(answer.data) > 100
        assert asset.rsplit(".", 1)[-1] in {"css", "js", "png"}
    assert "https://" not in page.text + client.get("/docs/swagger-initializer.js").text


def test_the_docs_show_the_contract(client: Client) -> None:
    document = client.get("/docs/openapi.json").json
    assert document is not None
    validate(document)
    assert "x-amazon" not in client.get("/docs/openapi.json").text
    assert 'url: "openapi.json"' in client.get("/docs/swagger-initializer.js").text
    assert set(document["paths"]["/auth"]) == {"post"}


@pytest.mark.parametrize(
    "path",
    ["/docs/../document.py", "/docs/%2e%2e/%2e%2e/__init__.py", "/docs/nothing", "/docs//etc"],
)
def test_the_docs_give_away_no_other_file(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/health", "/docs", "/docs/"])
def test_health_and_docs_are_read_only(client: Client, path: str) -> None:
    assert client.post(path).status_code == 404

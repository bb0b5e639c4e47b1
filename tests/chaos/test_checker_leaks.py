"""Canaries are found however a log writes them; the other places are in test_checker_finds.py."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.chaos.eventful_run import NAME, PASSWORD, RECEIPT, TOKEN, eventful_run


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD,
        quote(PASSWORD),
        NAME,
        NAME.split(" ", maxsplit=1)[0],
        json.dumps(NAME),
        quote(NAME),
        TOKEN,
        TOKEN.split(".")[1],
        RECEIPT,
        quote(RECEIPT, safe=""),
    ],
)
def test_a_secret_in_a_log_is_found_however_it_is_written(written: str) -> None:
    run = eventful_run()
    run.logs["gateway.log"] = f"GET /auth?x={written}&y=1\n"
    [violation] = run.result().violations
    assert violation.invariant == "I11"
    assert "gateway.log" in violation.text
    # A violation does not repeat the secret.
    assert written not in violation.text

"""I11: canaries where they don't belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.chaos.run_builder import RunBuilder

PASSWORD = "Canary-3f9a1c55e0-Aa1!"
NAME = "Kanarek77aa01 Коваленко"
TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJhZGEiLCJhdWQiOiJjbGllbnQifQ.c2lnbmF0dXJlLW9mLWFkYQ"
RECEIPT = "AQEB+receipt/of=ada=="


@pytest.fixture
def run() -> RunBuilder:
    """A run in which a secret of each kind exists and is nowhere to be found."""
    run = RunBuilder()
    secrets = {"password": PASSWORD, "name": NAME, "token": TOKEN, "receipt": RECEIPT}
    run.secrets = [{"kind": kind, "value": value} for kind, value in secrets.items()]
    run.logs = {"utils-1.log": '{"message": "request", "status": "done"}\n'}
    return run


def test_nothing_is_found_where_nothing_is(run: RunBuilder) -> None:
    result = run.result()
    assert (result.violations, result.facts["I11"]) == ([], 1)


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
def test_a_secret_in_a_log_is_found_however_it_is_written(run: RunBuilder, written: str) -> None:
    run.logs["gateway.log"] = f"GET /auth?x={written}&y=1\n"
    [violation] = run.result().violations
    assert violation.invariant == "I11"
    assert "gateway.log" in violation.text
    # A violation does not repeat the secret.
    assert written not in violation.text


def dead_letter(run: RunBuilder, body: str, **attributes: str) -> None:
    letter = {"queue": "utils-dlq", "body": body, "attributes": attributes}
    run.final = {"dead_letters": [letter]}


def rejection(run: RunBuilder) -> None:
    run.reject("total_changed", run.bill(), expected=1)
    run.events[-1]["reply"]["message"] = f"{NAME} can't pay that"


def error(run: RunBuilder) -> None:
    body = {"code": "unauthorized", "message": f"{TOKEN} has expired"}
    run.event("error", client="client-ada", method="GET", status=401, body=body)


@pytest.mark.parametrize(
    "leak",
    [
        lambda run: dead_letter(run, json.dumps({"username": "ada", "password": PASSWORD})),
        lambda run: dead_letter(run, "{}", note=NAME),
        error,
        rejection,
    ],
)
def test_a_secret_elsewhere_is_found(run: RunBuilder, leak: Callable[[RunBuilder], None]) -> None:
    leak(run)
    assert run.broken() == {"I11"}


def test_a_name_in_the_reply_of_a_login_is_where_it_belongs(run: RunBuilder) -> None:
    run.login()
    run.events[-1]["reply"]["data"]["resident"] = {"name": NAME}
    assert run.broken() == set()

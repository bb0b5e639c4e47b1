"""I11: canaries where they don't belong."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.support.tales import Tale

PASSWORD = "Canary-3f9a1c55e0-Aa1!"
NAME = "Kanarek77aa01 Коваленко"
TOKEN = "eyJhbGciOiJub25l.eyJzdWIiOiJhZGEiLCJhdWQiOiJjbGllbnQifQ.c2lnbmF0dXJlLW9mLWFkYQ"
RECEIPT = "AQEB+receipt/of=ada=="


def tale_with_secrets() -> Tale:
    """Return a tale in which a secret of each kind exists and lies nowhere."""
    tale = Tale()
    tale.secrets = [
        {"kind": "password", "value": PASSWORD},
        {"kind": "name", "value": NAME},
        {"kind": "token", "value": TOKEN},
        {"kind": "receipt", "value": RECEIPT},
    ]
    tale.logs = {"utils-1.log": '{"message": "request", "status": "done"}\n'}
    return tale


def test_nothing_is_found_where_nothing_is() -> None:
    verdict = tale_with_secrets().verdict()
    assert (verdict.violations, verdict.facts["I11"]) == ([], 1)


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD,
        quote(PASSWORD),
        NAME,
        NAME.split(" ")[0],
        json.dumps(NAME),
        quote(NAME),
        TOKEN,
        TOKEN.split(".")[1],
        RECEIPT,
        quote(RECEIPT, safe=""),
    ],
)
def test_i11_a_secret_in_a_log_however_it_is_written(written: str) -> None:
    tale = tale_with_secrets()
    tale.logs["gateway.log"] = f"GET /auth?x={written}&y=1\n"
    [violation] = tale.verdict().violations
    assert violation.invariant == "I11"
    assert "gateway.log" in violation.text


def test_i11_a_password_in_a_dead_letter() -> None:
    tale = tale_with_secrets()
    body = json.dumps({"username": "ada", "password": PASSWORD})
    tale.final = {"dead_letters": [{"queue": "auth-dlq", "body": body, "attributes": {}}]}
    assert tale.broken() == {"I11"}


def test_i11_a_name_in_the_attributes_of_a_dead_letter() -> None:
    tale = tale_with_secrets()
    letter = {"queue": "utils-dlq", "body": "{}", "attributes": {"note": NAME}}
    tale.final = {"dead_letters": [letter]}
    assert tale.broken() == {"I11"}


def test_i11_a_token_in_the_text_of_an_error() -> None:
    tale = tale_with_secrets()
    body = {"code": "unauthorized", "message": f"{TOKEN} has expired"}
    tale.tell("error", client="client-ada", method="GET", status=401, body=body)
    assert tale.broken() == {"I11"}


def test_i11_a_name_in_the_message_of_a_rejection() -> None:
    tale = tale_with_secrets()
    tale.reject("total_changed", tale.bill(), expected=1)
    tale.events[-1]["reply"]["message"] = f"{NAME} can't pay that"
    assert tale.broken() == {"I11"}


def test_a_violation_does_not_repeat_the_secret() -> None:
    tale = tale_with_secrets()
    tale.logs["gateway.log"] = PASSWORD
    [violation] = tale.verdict().violations
    assert PASSWORD not in violation.text


def test_a_name_in_the_reply_of_a_login_is_where_it_belongs() -> None:
    tale = tale_with_secrets()
    tale.login()
    tale.events[-1]["reply"]["data"]["resident"] = {"name": NAME}
    assert tale.broken() == set()

"""What each operation takes, checked again behind the gateway."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid1, uuid4

import pytest
from marshmallow import Schema

from billing_app.domain.errors import Rejection
from chalicelib.operations import Auth, Histories, Payments, Utils
from chalicelib.records import validated

QUEUE = {"queue_name": str(uuid4())}
BILL = str(uuid4())
GUESSABLE = ["0F8FAD5B-d9cb-469f-a165-70867728950e", str(UUID(int=0)), str(uuid1())]


def total(value: object) -> dict[str, Any]:
    return {"bills_id": [BILL], "expected_total_minor": value}


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (Auth, {"username": "ada"}, "_body"),
        (Auth, {"refresh_token": "t", "password": "p"}, "_body"),
        (Auth, {"username": "", "password": "p"}, "username"),
        *((Auth, {"refresh_token": "t", "queue_name": name}, "queue_name") for name in GUESSABLE),
        (Utils, {"made_up_by_the_client": 1}, "_body"),
        (Payments, {}, "bills_id"),
        (Payments, {"bills_id": []}, "bills_id"),
        (Payments, {"bills_id": ["x"]}, "bills_id"),
        (Payments, {"bills_id": [BILL] * 1001}, "bills_id"),
        (Payments, total(1.5), "expected_total_minor"),
        (Payments, total("1"), "expected_total_minor"),
        (Payments, total(2**63), "expected_total_minor"),
        (Payments, {"bills_id": [BILL], "asked_seconds_ago": -1}, "asked_seconds_ago"),
        (Payments, {"bills_id": [BILL], "asked_seconds_ago": 2**31}, "asked_seconds_ago"),
        (Histories, {"date_up": None}, "date_down"),
        (Histories, {"date_up": 5, "date_down": None}, "date_up"),
    ],
)
def test_what_the_contract_does_not_allow_is_rejected_by_naming_the_field(
    schema: type[Schema], body: dict[str, Any], field: str
) -> None:
    with pytest.raises(Rejection) as rejection:
        validated(schema, {**QUEUE, **body})
    assert (rejection.value.code, rejection.value.data) == ("invalid_request", {"fields": [field]})

"""Request templates: whatever a client sends, SQS reads it as one value of one parameter."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.operations import OPERATIONS
from tests.unit.gateway.tools import (
    ANNA,
    APARTMENT,
    CLIENT_ID,
    CONTRACT,
    PREFIX,
    QUEUE_NAME,
    reply_queue,
)
from tools.local.gateway.document import Operation
from tools.local.gateway.java import JavaString
from tools.local.gateway.sqs import message_attributes, parse_form
from tools.local.gateway.vtl import Context, Input, Parameters, new_context, render_template

REQUESTED_AT = "1796000000000"
RESIDENT = {"request_id", "subject", "apartment_id"}
PAYER = {*RESIDENT, "requested_at"}
QUEUE = QUEUE_NAME.replace("-", "")
HOSTILE = [
    "a&b=c",
    "a+b c",
    "%26Action%3DDeleteQueue",
    "%zz%",
    "\"quoted\" 'single' \\ back",
    "line\r\nbreak\ttab\x00nul",
    "Анна Петрова",
    "😀 \U0010ffff \ufffe",
    "&MessageAttribute.1.Name=subject&MessageAttribute.1.Value.StringValue=victim",
    "&Action=PurgeQueue&QueueUrl=https://sqs/1/other",
    "$util.urlEncode('x') $context.requestId #set($x = 1) ${x} #foreach($i in [1..9])x#end",
    "##comment #*block*# \\$escaped",
    "",
]
POSTS = [
    "/auth",
    *(f"/apartments/{{apartment_id}}/{name}" for name in sorted({*OPERATIONS} - {"auth"})),
]
values = st.one_of(st.sampled_from(HOSTILE), st.text())


def operation(method: str, path: str) -> Operation:
    """Find an operation."""
    return next(
        entry for entry in CONTRACT.operations if (entry.method, entry.path) == (method, path)
    )


def render(
    method: str,
    path: str,
    *,
    body: str = "{}",
    path_parameters: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    subject: str = ANNA,
    audience: str = CLIENT_ID,
    request_id: str = "r-1",
    address: str = "192.0.2.7",
) -> tuple[dict[str, str], Context]:
    """Render an operation's request template and decode it as SQS would."""
    claims = {"sub": subject, "aud": audience}
    context = new_context(
        requestId=request_id,
        requestTimeEpoch=REQUESTED_AT,
        authorizer={"claims": claims},
        identity={"sourceIp": address},
    )
    parameters = {
        "path": Parameters(path_parameters or {}),
        "querystring": Parameters(query or {}),
        "header": Parameters(headers or {}),
    }
    template = operation(method, path).integration.templates["application/json"]
    payload = Input(JavaString(body), parameters)
    return parse_form(render_template(template, payload=payload, context=context)), context


def pay(
    body: str = "{}", apartment: str = APARTMENT, subject: str = ANNA, **options: Any
) -> dict[str, str]:
    """Render the template with the most slots."""
    return render(
        "POST",
        "/apartments/{apartment_id}/payments",
        body=body,
        path_parameters={"apartment_id": apartment},
        subject=subject,
        **options,
    )[0]


def body_with(value: str) -> str:
    """Make a body with the value in it; no template may rely on a schema having rejected it."""
    return json.dumps({"queue_name": QUEUE_NAME, value: value, "x": [value]}, ensure_ascii=False)


@given(value=values, slot=st.sampled_from(["apartment_id", "subject", "request_id"]))
def test_an_attribute_arrives_as_it_was(value: str, slot: str) -> None:
    slots = {"apartment_id": APARTMENT, "subject": ANNA, "request_id": "r-1", slot: value}
    sent = pay(
        apartment=slots["apartment_id"], subject=slots["subject"], request_id=slots["request_id"]
    )
    found = message_attributes(sent)
    texts = {name: entry["StringValue"] for name, entry in found.items()}
    assert texts == {**slots, "requested_at": REQUESTED_AT}
    assert len(sent) == 4 + 4 * 3


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("caller", [ANNA, "2001:db8::a1", "192.0.2.7"])
@given(hostile=st.one_of(values, st.text("a-", min_size=120)))
def test_messages_are_grouped_by_who_the_gateway_says_sends_them(
    path: str, caller: str, hostile: str
) -> None:
    for told in (caller, hostile):
        sent, _ = render("POST", path, subject=told, address=told)
        assert re.fullmatch("[!-~]{1,128}", sent["MessageGroupId"])
    # What is no part of a subject or an address is left out of it.
    allowed = "[^0-9A-Fa-f:.]" if path == "/auth" else "[^0-9A-Za-z-]"
    sent, _ = render("POST", path, subject=f"{caller}\n&", address=f"{caller} &")
    assert sent["MessageGroupId"] == re.sub(allowed, "", caller)


@given(
    values.filter(bool), st.sampled_from(["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-key"])
)
def test_an_idempotency_key_is_found_in_any_spelling(value: str, name: str) -> None:
    sent = pay(headers={"Accept": "x", name: value, "Via": "y"})
    assert message_attributes(sent)["idempotency_key"]["StringValue"] == value
    assert len(sent) == 4 + 5 * 3


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency": "x"}])
def test_no_attribute_is_ever_empty(headers: dict[str, str]) -> None:
    assert set(message_attributes(pay(headers=headers))) == PAYER


@pytest.mark.parametrize(
    "path", ["/apartments/{apartment_id}/utils/{queue_name}", "/auth/{queue_name}"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
@given(
    value=st.one_of(values, st.from_regex(r"[0-9a-fA-F-]{0,40}", fullmatch=True)),
    subject=st.one_of(st.just(ANNA), values),
)
def test_a_polled_queue_is_always_the_callers_own(
    path: str, method: str, value: str, subject: str
) -> None:
    parameters = {"apartment_id": APARTMENT, "queue_name": value}
    _, context = render(method, path, path_parameters=parameters, subject=subject)
    # Of a subject that is no UUID only the digits count.
    digits = re.sub("[^0-9a-f]", "", subject.lower())
    own = "login" if path.startswith("/auth") else f"r-{digits}"
    queue = context["requestOverride"]["path"]["queue"]
    assert re.fullmatch(f"{PREFIX}-{own}-([0-9a-f]{{32}}|none)", queue)


@pytest.mark.parametrize(
    "entry",
    [entry for entry in CONTRACT.operations if entry.authorizer],
    ids=lambda entry: entry.path,
)
@given(st.one_of(values, st.sampled_from([CLIENT_ID + "x", CLIENT_ID.upper(), f"[{CLIENT_ID}]"])))
def test_a_token_for_another_client_asks_sqs_for_nothing(entry: Operation, audience: str) -> None:
    sent, _ = render(
        entry.method,
        entry.path,
        body=body_with("x"),
        path_parameters={"apartment_id": APARTMENT, "queue_name": QUEUE_NAME},
        audience=audience,
    )
    assert sent["Action"] == "RejectToken"


@pytest.mark.parametrize("spelling", [QUEUE_NAME, QUEUE_NAME.upper(), QUEUE])
def test_a_queue_name_is_the_same_in_any_spelling(spelling: str) -> None:
    _, context = render(
        "GET",
        "/apartments/{apartment_id}/payments/{queue_name}",
        path_parameters={"apartment_id": APARTMENT, "queue_name": spelling},
    )
    assert context["requestOverride"]["path"]["queue"] == reply_queue(ANNA)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("0", "0"),
        ("7", "7"),
        ("19", "19"),
        ("20", "20"),
        ("21", "20"),
        ("", "20"),
        ("007", "20"),
        ("-1", "20"),
        ("5\n", "20"),
        ("1&QueueUrl=x", "20"),
        ("٣", "20"),
    ],
)
def test_a_poll_waits_up_to_twenty_seconds(asked: str, waited: str) -> None:
    sent, _ = render(
        "GET",
        "/auth/{queue_name}",
        path_parameters={"queue_name": QUEUE_NAME},
        query={"wait_seconds": asked},
    )
    assert sent == {
        "Action": "ReceiveMessage",
        "Version": "2012-11-05",
        "MaxNumberOfMessages": "5",
        "WaitTimeSeconds": waited,
    }


@pytest.mark.parametrize(
    "path", ["/auth/{queue_name}", "/apartments/{apartment_id}/utils/{queue_name}"]
)
@given(value=values)
def test_a_receipt_arrives_as_it_was(path: str, value: str) -> None:
    sent, _ = render(
        "DELETE", path, path_parameters={"queue_name": QUEUE_NAME}, query={"receipt": value}
    )
    expected = {"Action": "DeleteMessage", "Version": "2012-11-05", "ReceiptHandle": value}
    assert sent == expected

"""Operators outside of the private network invoke the deployed functions."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from billing_app.adapters.invoked_functions import InvokedFunctions
from billing_app.admin.bill_operations import ImportBills
from billing_app.domain.errors import Rejection, Unavailable
from billing_app.ports.operator_ledger import BillBatch, LineResult
from tests.support.bills import a_line

BILL_ID = UUID("11111111-2222-4333-8444-555555555555")
BATCH = BillBatch(
    import_id=BILL_ID,
    file_name="bills.csv",
    sha256="0" * 64,
    dry_run=False,
    lines=(a_line(),),
)


class Deployed:
    """Functions that answer what a test wants; the names and events they got."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "lambda",
            region_name="eu-central-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.stub = Stubber(self.client)
        self.functions = InvokedFunctions(self.client, prefix="bill-prod")
        self.stub.activate()

    def answer(self, payload: Any, **more: str) -> None:
        body = json.dumps(payload).encode()
        stream = StreamingBody(io.BytesIO(body), len(body))
        self.stub.add_response("invoke", {"StatusCode": 200, "Payload": stream, **more})


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def test_an_answer_is_handed_on(deployed: Deployed) -> None:
    answer = {"status": "done", "code": None, "message": "Done.", "data": {"a": 1}}
    deployed.answer(answer)
    assert deployed.functions("reconcile", {}) == answer


def test_a_batch_goes_as_an_event_that_the_function_reads(deployed: Deployed) -> None:
    sent: list[dict[str, Any]] = []
    deployed.client.meta.events.register(
        "provide-client-params.lambda.Invoke", lambda params, **_: sent.append(params)
    )
    line = {"line": 2, "result": "issued", "code": None, "bill_id": str(BILL_ID)}
    deployed.answer({"status": "done", "data": {"lines": [line]}})
    assert deployed.functions.issue_bills(batch=BATCH) == [LineResult(2, "issued", None, BILL_ID)]
    assert sent[0]["FunctionName"] == "bill-prod-import_bills"
    event = ImportBills().load(json.loads(sent[0]["Payload"]))
    assert tuple(event["lines"]) == BATCH.lines


@pytest.mark.parametrize("code", ["invalid_request", "service_unavailable", "unheard_of"])
def test_a_batch_that_is_rejected_ends_the_import(deployed: Deployed, code: str) -> None:
    deployed.answer({"status": "rejected", "code": code, "data": None})
    with pytest.raises(Rejection) as caught:
        deployed.functions.issue_bills(batch=BATCH)
    assert caught.value.code == ("internal_error" if code == "unheard_of" else code)


def test_a_function_that_broke_off_or_is_not_there_leaves_the_outcome_open(
    deployed: Deployed,
) -> None:
    deployed.answer({"errorMessage": "boom"}, FunctionError="Unhandled")
    deployed.stub.add_client_error("invoke", "ResourceNotFoundException")
    for _ in range(2):
        with pytest.raises(Unavailable):
            deployed.functions("reconcile", {})

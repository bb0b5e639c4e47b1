"""The deployed functions of operators, for whom the database is out of reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from billing_app.adapters.operator_ledger import batch_data, line_result
from billing_app.domain.errors import CATALOGUE, Rejection, Unavailable
from billing_app.ports.operator_ledger import BillBatch, BillIssuer, LineResult

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class InvokedFunctions(BillIssuer):
    """Invokes `<prefix>-<name>` with an event and returns its answer.

    The client must not retry by itself: an import or a reversal that took effect but whose answer
    was lost would be reported as rejected. Running the command again is the operator's choice.
    """

    def __init__(self, client: LambdaClient, *, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def __call__(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function and return its answer.

        Raises:
            Unavailable: it can't be reached or ends with an error of its own.
        """
        try:
            answer = self._client.invoke(
                FunctionName=f"{self._prefix}-{name}", Payload=json.dumps(event).encode()
            )
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"function {name}: {type(error).__name__}") from error
        if "FunctionError" in answer:
            raise Unavailable(f"function {name} broke off: {answer['FunctionError']}")
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        return payload

    def issue_bills(self, *, batch: BillBatch) -> list[LineResult]:
        """Issue a batch that was read here, so that files of any size fit into events."""
        answer = self("import_bills", batch_data(batch))
        if answer["status"] != "done":
            code = answer["code"]
            raise Rejection(code if code in CATALOGUE else "internal_error")
        return [line_result(line) for line in answer["data"]["lines"]]

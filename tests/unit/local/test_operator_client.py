"""Tools do what operators do, and see what was not done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tools.operator_client import OperatorClient, OperatorError

EXISTS = {"status": "rejected", "code": "apartment_exists", "message": "It exists.", "data": None}


def answering(answer: Mapping[str, Any]) -> OperatorClient:
    return OperatorClient(lambda _operation, _event: answer)


def test_a_rejection_is_an_error_that_names_operation_and_code() -> None:
    with pytest.raises(OperatorError, match="void_bill was answered apartment_exists"):
        answering(EXISTS).do("void_bill", {})


def test_what_was_done_before_is_no_error() -> None:
    assert answering(EXISTS).add_apartment("1 Long Street", "a") == "a"


def test_ids_of_imported_bills_are_in_the_order_of_the_lines() -> None:
    lines = [{"line": 3, "bill_id": "second"}, {"line": 2, "bill_id": "first"}]
    client = answering({"status": "done", "data": {"lines": lines}})
    assert client.import_bills([{}, {}]) == ["first", "second"]

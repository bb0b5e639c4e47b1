"""A function's answer means what Lambda takes it for."""

from __future__ import annotations

from typing import Any

import pytest

from tools.local.lambda_events import failed_messages

ALL = {"a", "b", "c"}


def failures(*ids: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in ids]}


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        *[(answer, set()) for answer in (None, {}, failures(), {"batchItemFailures": None})],
        (failures("b"), {"b"}),
        (failures(""), ALL),
        (failures(None), ALL),
        (failures("unknown"), ALL),
        (failures("a", "unknown"), ALL),
        (failures({"a": 1}), ALL),
        ({"batchItemFailures": [{"id": "a"}]}, ALL),
        ({"batchItemFailures": ["a"]}, ALL),
        ({"batchItemFailures": "a"}, ALL),
        ({"batchItemFailures": {}}, ALL),
        ({"batchItemFailures": object()}, ALL),
        ("text", ALL),
        (["a"], ALL),
        ([], ALL),
        (7, ALL),
    ],
)
def test_only_the_reported_messages_failed_or_all_when_the_answer_is_malformed(
    answer: object, failed: set[str]
) -> None:
    assert failed_messages(answer, ["a", "b", "c"]) == failed

"""Form bodies are read as SQS reads them."""

from __future__ import annotations

import pytest

from tools.local.gateway.sqs import message_attributes, parse_form


def test_a_form_is_read_strictly() -> None:
    assert parse_form("a=b+c&d=%D0%96&e=") == {"a": "b c", "d": "Ж", "e": ""}
    for body in ("a=1&a=2", "a&b=1", "a=%ff"):
        with pytest.raises(ValueError, match=r".+"):
            parse_form(body)


def test_attributes_are_collected_by_number() -> None:
    form = "&".join(
        f"MessageAttribute.{number}.{part}={value}{number}"
        for number in (2, 11)
        for part, value in (("Name", "n"), ("Value.DataType", "t"), ("Value.StringValue", "v"))
    )
    assert message_attributes(parse_form(f"{form}&MessageAttributes.1.Name=x")) == {
        "n2": {"DataType": "t2", "StringValue": "v2"},
        "n11": {"DataType": "t11", "StringValue": "v11"},
    }

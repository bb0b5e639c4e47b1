"""Strings in templates behave as Java's."""

from __future__ import annotations

import pytest

from tools.local.gateway.java import JavaString, url_encode


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b", "a+b"),
        ("a+b&c=d%", "a%2Bb%26c%3Dd%25"),
        ("~*-._", "%7E*-._"),
        ("Ж", "%D0%96"),
        ("😀", "%F0%9F%98%80"),
        ("\r\n", "%0D%0A"),
        (None, ""),
    ],
)
def test_url_encode_writes_what_java_writes(text: str | None, encoded: str) -> None:
    assert url_encode(text) == encoded


def test_substring_counts_utf16_units() -> None:
    assert JavaString("😀ab").substring(2) == "ab"


@pytest.mark.parametrize("start", [-1, 3])
def test_substring_outside_of_the_string_fails(start: int) -> None:
    with pytest.raises(IndexError):
        JavaString("ab").substring(start)


def test_replace_all_takes_a_regular_expression_of_java() -> None:
    assert JavaString("a-1-b").replaceAll("[^0-9a-f]", "") == "a1b"
    assert JavaString("٣").replaceAll("\\d", "x") == "٣", "Java's digits are ASCII"

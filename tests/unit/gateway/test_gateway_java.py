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
    text = JavaString("😀ab")
    assert text.substring(2) == "ab"
    assert text.substring(2, 3) == "a"


@pytest.mark.parametrize(("start", "end"), [(-1, None), (3, None), (1, 0), (0, 9)])
def test_substring_outside_of_the_string_fails(start: int, end: int | None) -> None:
    with pytest.raises(IndexError):
        JavaString("ab").substring(start, end)


def test_replace_all_takes_a_regular_expression_of_java() -> None:
    assert JavaString("a-1-b").replaceAll("[^0-9a-f]", "") == "a1b"
    assert JavaString("ab").replaceAll("(a)(b)", "$2\\$$1") == "b$a"
    assert JavaString("a").replaceAll("a", "\\\\n") == "\\n"
    assert JavaString("٣").replaceAll("\\d", "x") == "٣", "Java's digits are ASCII"

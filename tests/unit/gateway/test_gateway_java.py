"""Strings in templates behave as Java's."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.local.gateway.java import JavaString, escape_javascript, url_encode


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


@given(st.text())
def test_url_encode_is_undone_by_decoding(text: str) -> None:
    assert unquote_plus(url_encode(text), errors="strict") == text


def test_url_encode_leaves_only_harmless_characters() -> None:
    everything = "".join(map(chr, range(0x300)))
    assert set(url_encode(everything)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-*_+%"
    )


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("it's", "it\\'s"),
        ('"\\/', '\\"\\\\\\/'),
        ("\n\t\x01", "\\n\\t\\u0001"),
        ("Ж😀", "\\u0416\\uD83D\\uDE00"),
        (None, ""),
    ],
)
def test_escape_javascript_escapes_single_quotes_too(text: str | None, escaped: str) -> None:
    assert escape_javascript(text) == escaped


def test_length_and_substring_count_utf16_units() -> None:
    text = JavaString("😀ab")
    assert text.length() == 4
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


def test_matches_wants_the_whole_string() -> None:
    assert JavaString("20").matches("[0-9]+")
    assert not JavaString("20x").matches("[0-9]+")


def test_other_methods_of_java_strings() -> None:
    text = JavaString(" Ab ")
    assert text.trim() == "Ab"
    assert text.trim().toLowerCase() == "ab"
    assert text.trim().toUpperCase() == "AB"
    assert text.trim().equalsIgnoreCase("aB")
    assert text.equals(" Ab ")
    assert text.contains("b")
    assert text.trim().startsWith("A")
    assert text.trim().endsWith("b")
    assert text.concat("!").toString() == " Ab !"
    assert JavaString("").isEmpty()

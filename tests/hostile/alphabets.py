"""Hostile values: what breaks templates, forms, JSON, SQL, logs and headers somewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

# Stands in every hostile text, so that it can be looked for where it must not be.
CANARY = "c4n4ry"
FRAGMENTS = (
    "'",
    '"',
    "`",
    "\\",
    "&",
    "%",
    "%00",
    "%26Action%3DPurgeQueue",
    "+",
    ";",
    "--",
    "/*",
    "$$",
    "$(id)",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "#set($x = 1)",
    "$util.urlEncode('x')",
    "\r\n",
    "\r\nSet-Cookie: a=b",
    '\n{"level":"ERROR"}',
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\u200f",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\ud800",
    "\U0010ffff",
    "\u0130",
    "\u017f",
    "ß",
    "٣",
    "\uff10",
    "' OR '1'='1",
    "'; DROP TABLE billing.bills; --",
    "%s%n%(x)s",
    "{0.__class__}",
    "<script>",
    "=cmd|' /C calc'!A0",
    "../../",
    "&MessageAttribute.2.Name=subject&MessageAttribute.2.Value.StringValue=",
    "x" * 3000,
)
# JSON as text, since no Python value is written like this.
ODD_JSON = (
    "NaN",
    "-Infinity",
    "1e400",
    "1.0",
    "-0",
    "9223372036854775807",
    "9223372036854775808",
    "9" * 5000,
    "[" * 200 + "]" * 200,
    '{"a":' * 200 + "1" + "}" * 200,
    "true",
    "null",
    "[]",
    "{}",
    '"\\ud800"',
    '"\\u0000"',
)

texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=4).map(
    lambda parts: CANARY + "".join(parts)
)
# As texts, but such as UTF-8 can write.
utf8_texts = texts.map(lambda text: text.encode("utf-8", "replace").decode())
odd_values = st.one_of(
    st.sampled_from(ODD_JSON),
    texts.map(json.dumps),
    st.lists(texts, max_size=2).map(json.dumps),
    st.dictionaries(texts, st.integers(), max_size=2).map(json.dumps),
    st.integers().map(str),
)


def spellings(uuid: str) -> st.SearchStrategy[str]:
    """Write a UUID as something between the contract's way and none at all."""
    ways: tuple[Callable[[str], str], ...] = (
        str.upper,
        lambda u: u.replace("-", ""),
        lambda u: f"{{{u}}}",
        lambda u: f"urn:uuid:{u}",
        lambda u: f"{u}\n",
        lambda u: f" {u}",
        lambda u: f"{u}\x00",
        lambda u: u.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
        lambda u: u[:-1],
        lambda u: u + u,
    )
    return st.sampled_from(ways).map(lambda way: json.dumps(way(uuid)))


def bodies(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Make bodies that were valid but for one thing, from a value to the bytes themselves."""
    return st.one_of(
        _one_field(valid), _one_spelling(valid), _odd_bytes(json.dumps(valid).encode())
    )


def _one_field(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Replace a field, repeat it with another value, or add one with an odd name."""
    names = st.one_of(st.sampled_from(sorted(valid)), texts)
    return st.tuples(names, odd_values, st.booleans()).map(
        lambda change: _written(valid, change[0], change[1], repeated=change[2])
    )


def _one_spelling(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    return spellings(str(valid["queue_name"])).map(
        lambda value: _written(valid, "queue_name", value, repeated=False)
    )


def _written(valid: Mapping[str, Any], name: str, value: str, *, repeated: bool) -> bytes:
    fields = {key: json.dumps(entry) for key, entry in valid.items() if repeated or key != name}
    written = [f"{json.dumps(key)}:{entry}" for key, entry in fields.items()]
    return "{{{}}}".format(",".join([*written, f"{json.dumps(name)}:{value}"])).encode()


def _odd_bytes(body: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.sampled_from(
            [
                b"\xef\xbb\xbf" + body,
                body.decode().encode("utf-16"),
                body.decode().encode("utf-32-le"),
                body + b"\x00",
                body + body,
                b"//x\n" + body,
                body.replace(b"{", b"{,", 1),
                body.replace(b'"', b"'"),
                body[:-1],
                b"\xff" + body,
                body.replace(b":", b":\xed\xa0\x80", 1),
                b" " * 1000 + body + b"\r\n\t",
                b"",
            ]
        ),
        st.binary(max_size=40),
    )

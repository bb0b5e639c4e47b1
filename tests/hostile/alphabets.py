"""Hostile values: what breaks templates, forms, JSON, SQL, logs and headers somewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

often = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
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


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda uuid: uuid.replace("-", ""),
    lambda uuid: f"{{{uuid}}}",
    lambda uuid: f"urn:uuid:{uuid}",
    lambda uuid: f"{uuid}\n",
    lambda uuid: f" {uuid}",
    lambda uuid: f"{uuid}\x00",
    lambda uuid: uuid.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
    lambda uuid: uuid[:-1],
    lambda uuid: uuid + uuid,
)
_DISTORTIONS: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.decode().encode("utf-16"),
    lambda body: body.decode().encode("utf-32-le"),
    lambda body: body + b"\x00",
    lambda body: body + body,
    lambda body: b"//x\n" + body,
    lambda body: body.replace(b"{", b"{,", 1),
    lambda body: body.replace(b'"', b"'"),
    lambda body: body[:-1],
    lambda body: b"\xff" + body,
    lambda body: body.replace(b":", b":\xed\xa0\x80", 1),
    lambda body: b" " * 1000 + body + b"\r\n\t",
    lambda _: b"",
)


@st.composite
def bodies(draw: st.DrawFn, valid: Mapping[str, Any]) -> bytes:
    """Make a body that was valid but for one thing, from a value to the bytes themselves."""
    change = draw(st.sampled_from(["field", "repeated field", "spelling", "bytes", "noise"]))
    if change == "noise":
        return draw(st.binary(max_size=40))
    if change == "bytes":
        return draw(st.sampled_from(_DISTORTIONS))(json.dumps(valid).encode())
    if change == "spelling":
        spelled = draw(st.sampled_from(_SPELLINGS))(str(valid["queue_name"]))
        return written(valid, "queue_name", json.dumps(spelled)).encode()
    name = draw(st.one_of(st.sampled_from(sorted(valid)), texts))
    return written(valid, name, draw(odd_values), repeated=change != "field").encode()


def written(valid: Mapping[str, Any], name: str, value: str, *, repeated: bool = False) -> str:
    """Write an object with a field of a value in JSON, beside or in place of the valid one."""
    fields = {key: json.dumps(entry) for key, entry in valid.items() if repeated or key != name}
    parts = [f"{json.dumps(key)}:{entry}" for key, entry in fields.items()]
    return "{{{}}}".format(",".join([*parts, f"{json.dumps(name)}:{value}"]))

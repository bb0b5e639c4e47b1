"""Java's strings, as far as mapping templates can see them: API Gateway runs templates on a JVM."""

# ruff: noqa: N802 - the methods are named as in Java, because the templates call them by these names.

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote_plus

_GROUP = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


class JavaString(str):
    """A string that also has the methods of java.lang.String which templates use."""

    __slots__ = ()

    def length(self) -> int:
        """Count UTF-16 units, as Java does."""
        return len(_utf16(self)) // 2

    def isEmpty(self) -> bool:
        """Tell whether there is no character."""
        return not self

    def toLowerCase(self) -> JavaString:
        """Give the lower-case string."""
        return JavaString(self.lower())

    def toUpperCase(self) -> JavaString:
        """Give the upper-case string."""
        return JavaString(self.upper())

    def toString(self) -> JavaString:
        """Give the string itself."""
        return self

    def trim(self) -> JavaString:
        """Drop leading and trailing characters up to and including the space."""
        return JavaString(self.strip("".join(map(chr, range(0x21)))))

    def substring(self, start: int, end: int | None = None) -> JavaString:
        """Give the UTF-16 units from start up to end; raises IndexError outside of the string."""
        units = _utf16(self)
        stop = len(units) // 2 if end is None else end
        if not 0 <= start <= stop <= len(units) // 2:
            raise IndexError(f"substring {start}..{stop} of {len(units) // 2}")
        return JavaString(units[2 * start : 2 * stop].decode("utf-16-le", "surrogatepass"))

    def contains(self, part: str) -> bool:
        """Tell whether the part occurs."""
        return part in self

    def startsWith(self, part: str) -> bool:
        """Tell whether the string starts with the part."""
        return self.startswith(part)

    def endsWith(self, part: str) -> bool:
        """Tell whether the string ends with the part."""
        return self.endswith(part)

    def equals(self, other: object) -> bool:
        """Tell whether the other is the same string."""
        return isinstance(other, str) and self == other

    def equalsIgnoreCase(self, other: str) -> bool:
        """Tell whether the other is the same string, whatever the case."""
        return self.lower() == other.lower()

    def concat(self, other: str) -> JavaString:
        """Give both strings as one."""
        return JavaString(self + other)

    def matches(self, pattern: str) -> bool:
        """Tell whether the pattern matches the whole string."""
        return _regex(pattern).fullmatch(self) is not None

    def replaceAll(self, pattern: str, replacement: str) -> JavaString:
        """Replace each match; $1 in the replacement is the first group."""
        return JavaString(_regex(pattern).sub(_python_replacement(replacement), self))


def url_encode(value: object) -> JavaString:
    """Encode as java.net.URLEncoder does: a space becomes +, a * stays, a ~ does not."""
    text = "" if value is None else str(value)
    return JavaString(quote_plus(text, safe="*", encoding="utf-8").replace("~", "%7E"))


_ESCAPES = {'"': '\\"', "'": "\\'", "\\": "\\\\", "/": "\\/"}
_ESCAPES |= {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def escape_javascript(value: object) -> JavaString:
    """Escape for a JavaScript string; with a single quote in it the result is no valid JSON."""
    units = _utf16("" if value is None else str(value))
    codes = (int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2))
    return JavaString("".join(_escaped(code) for code in codes))


def _escaped(code: int) -> str:
    character = chr(code)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if 0x20 <= code < 0x7F else f"\\u{code:04X}"


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    # Java's \d, \w and \s know ASCII only.
    return re.compile(pattern, re.ASCII)


def _python_replacement(replacement: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _GROUP.finditer(replacement):
        parts.append(replacement[at : found.start()].replace("\\", "\\\\"))
        parts.append(f"\\g<{found[2]}>" if found[2] else found[1].replace("\\", "\\\\"))
        at = found.end()
    return "".join([*parts, replacement[at:].replace("\\", "\\\\")])

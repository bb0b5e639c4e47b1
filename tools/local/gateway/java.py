"""Java's strings, as far as our mapping templates use them: API Gateway runs these on a JVM."""

# ruff: noqa: N802 - the methods are named as in Java, because the templates call them by these names.

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote_plus

_GROUP = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


class JavaString(str):
    """A string that also has the methods of java.lang.String which templates use."""

    __slots__ = ()

    def toLowerCase(self) -> JavaString:
        """Give the lower-case string."""
        return JavaString(self.lower())

    def substring(self, start: int, end: int | None = None) -> JavaString:
        """Give the UTF-16 units from start up to end.

        Raises:
            IndexError: Outside of the string.
        """
        units = self.encode("utf-16-le", "surrogatepass")
        stop = len(units) // 2 if end is None else end
        if not 0 <= start <= stop <= len(units) // 2:
            raise IndexError(f"substring {start}..{stop} of {len(units) // 2}")
        return JavaString(units[2 * start : 2 * stop].decode("utf-16-le", "surrogatepass"))

    def contains(self, part: str) -> bool:
        """Tell whether the part occurs."""
        return part in self

    def replaceAll(self, pattern: str, replacement: str) -> JavaString:
        """Replace each match; $1 in the replacement is the first group."""
        return JavaString(_regex(pattern).sub(_python_replacement(replacement), self))


def url_encode(value: object) -> JavaString:
    """Encode as java.net.URLEncoder does: a space becomes +, a * stays, a ~ does not."""
    text = "" if value is None else str(value)
    return JavaString(quote_plus(text, safe="*", encoding="utf-8").replace("~", "%7E"))


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

"""Java's strings, as far as our mapping templates use them: API Gateway runs these on a JVM."""

# ruff: noqa: N802 - the methods are named as in Java, because the templates call them by these names.

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote_plus


class JavaString(str):
    """A string that also has the methods of java.lang.String which templates use."""

    __slots__ = ()

    def toLowerCase(self) -> JavaString:
        """Give the lower-case string."""
        return JavaString(self.lower())

    def substring(self, start: int) -> JavaString:
        """Give the UTF-16 units from start on.

        Raises:
            IndexError: Outside of the string.
        """
        units = self.encode("utf-16-le", "surrogatepass")
        if not 0 <= start <= len(units) // 2:
            raise IndexError(f"substring {start} of {len(units) // 2}")
        return JavaString(units[2 * start :].decode("utf-16-le", "surrogatepass"))

    def contains(self, part: str) -> bool:
        """Tell whether the part occurs."""
        return part in self

    def replaceAll(self, pattern: str, replacement: str) -> JavaString:
        """Replace each match by the text; templates use no groups."""
        return JavaString(_regex(pattern).sub(lambda _: replacement, self))


def url_encode(value: object) -> JavaString:
    """Encode as java.net.URLEncoder does: a space becomes +, a * stays, a ~ does not."""
    text = "" if value is None else str(value)
    return JavaString(quote_plus(text, safe="*", encoding="utf-8").replace("~", "%7E"))


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    # Java's \d, \w and \s know ASCII only.
    return re.compile(pattern, re.ASCII)

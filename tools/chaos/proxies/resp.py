"""The Redis protocol: where a value ends, and how values are written.

https://valkey.io/topics/protocol/
"""

from __future__ import annotations

_STRINGS = b"$!="
_LISTS = b"*~>"
_PAIRS = b"%|"


def length_of_first(data: bytes) -> int:
    """Return the length of the first value in the data; 0 when it isn't whole yet."""
    return _end(data, 0) or 0


def command(data: bytes) -> list[bytes]:
    """Take one whole command apart: an array of strings, or a line."""
    if not data.startswith(b"*"):
        return data.split()
    lines, words = data.split(b"\r\n", 1)[1], []
    while lines:
        head, _, rest = lines.partition(b"\r\n")
        size = int(head[1:])
        words.append(rest[:size])
        lines = rest[size + 2 :]
    return words


def bulk(value: bytes | None) -> bytes:
    """Write a string, or nothing, as a server answers GET."""
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


def _end(data: bytes, start: int) -> int | None:
    line_end = data.find(b"\r\n", start)
    if line_end < 0:
        return None
    kind, after = data[start : start + 1], line_end + 2
    if kind not in _STRINGS + _LISTS + _PAIRS:
        return after
    count = int(data[start + 1 : line_end])
    if kind in _STRINGS:
        end = after if count < 0 else after + count + 2
        return end if len(data) >= end else None
    return _end_of_all(data, after, count * (2 if kind in _PAIRS else 1))


def _end_of_all(data: bytes, start: int, count: int) -> int | None:
    position: int | None = start
    for _ in range(count):
        position = _end(data, position) if position is not None else None
    return position

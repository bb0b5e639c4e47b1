"""HTTP/1.1 messages off a socket: as much of it as boto3 and its servers use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http.client import parse_headers
from io import BufferedIOBase

_HOP = {"content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Message:
    """A request or an answer: its first line, headers in their order, and the whole body."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value; empty when it isn't there."""
        found = (value for key, value in self.headers if key.lower() == name.lower())
        return next(found, "")

    @property
    def status(self) -> int:
        """Status of an answer."""
        return int(self.first.split()[1])

    def with_body(self, body: bytes) -> Message:
        """Return the same message with another body."""
        return replace(self, body=body)

    def spell(self) -> bytes:
        """Write it for the wire."""
        kept = [(key, value) for key, value in self.headers if key.lower() not in _HOP]
        lines = [self.first, *(f"{key}: {value}" for key, value in kept)]
        head = "\r\n".join([*lines, f"Content-Length: {len(self.body)}"])
        return head.encode("latin-1") + b"\r\n\r\n" + self.body


def read_message(stream: BufferedIOBase) -> Message | None:
    """Read the next message; None when the other side has ended."""
    first = stream.readline().decode("latin-1").strip()
    if not first:
        return None
    headers = parse_headers(stream)
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = _chunks(stream)
    else:
        body = stream.read(int(headers.get("Content-Length", "0")))
    return Message(first, tuple(headers.items()), body)


def _chunks(stream: BufferedIOBase) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body

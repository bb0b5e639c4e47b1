"""Structured logs: one JSON object a line, without bodies, tokens, passwords or names.

Texts of exceptions are left out: a database error quotes rows, a parameter error quotes values.
What remains (class, SQLSTATE in our own texts, the places in the code) is enough to find a fault.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from billing_app.domain.errors import Unavailable
from billing_app.domain.instants import format_instant

# Attributes that every record has; whatever else it has came by `extra`.
_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes a record and its `extra` as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": format_instant(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        return json.dumps(line, default=str)


def describe(error: BaseException) -> dict[str, Any]:
    """Describe an exception by class and places; with its text only where the text is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    described: dict[str, Any] = {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:]],
    }
    if isinstance(error, Unavailable):
        described["reason"] = str(error)
    return described


def configure(level: str) -> None:
    """Send our logs to standard output as JSON; libraries only report problems."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("billing_app", "chalicelib"):
        logging.getLogger(name).setLevel(level)

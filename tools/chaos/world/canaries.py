"""Secrets that can be recognized: what must be found in no log, dead letter or error text.

They are written to a file of their own, one JSON object `{"kind", "value"}` a line, so whoever
searches needs to know nothing of the service.
"""

from __future__ import annotations

import json
import secrets
import threading
from pathlib import Path

# Scripts, quotes and markup that have broken escaping elsewhere.
_SURNAMES = ("Коваленко", "王小明", "O'Neil", 'Zoë "Z"', "<b>&amp;", "Ωmega\\")


class Canaries:
    """Makes and collects secrets; threads may share one."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        path.chmod(0o600)

    def add(self, kind: str, value: str) -> str:
        """Note a secret of this kind (password, name, token, receipt) and return it."""
        with self._lock:
            self._file.write(json.dumps({"kind": kind, "value": value}, ensure_ascii=False) + "\n")
            self._file.flush()
        return value

    def password(self) -> str:
        """Make a password that every password policy here takes."""
        return self.add("password", f"Canary-{secrets.token_hex(12)}-Aa1!")

    def name(self) -> str:
        """Make a person's name that occurs nowhere else."""
        surname = secrets.choice(_SURNAMES)
        return self.add("name", f"Kanarek{secrets.token_hex(6)} {surname}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

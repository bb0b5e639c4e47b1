"""What can keep the local stack from starting."""

from __future__ import annotations


class LocalStackError(Exception):
    """Something the developer can put right; its text says what to do."""

"""What can go wrong while packaging."""

from __future__ import annotations


class PackagingError(Exception):
    """The package can't be built; the message says what to do."""

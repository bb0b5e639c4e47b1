"""Errors of the load generator."""

from __future__ import annotations


class LoadError(Exception):
    """The load can't be run as asked; the message says why."""

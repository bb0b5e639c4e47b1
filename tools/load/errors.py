"""Errors of the load generator."""


class LoadError(Exception):
    """The load can't be run as asked; the message says why."""

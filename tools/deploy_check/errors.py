"""What can go wrong in a deployment check."""

from __future__ import annotations


class DeployCheckError(Exception):
    """The check failed; the message says what was found and where to look."""


class MissingPrerequisiteError(DeployCheckError):
    """This machine lacks something that the check needs."""

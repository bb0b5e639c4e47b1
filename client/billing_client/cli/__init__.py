"""The ``billing`` command."""

from billing_client.cli.app import cli, main

__all__ = ["cli", "main"]

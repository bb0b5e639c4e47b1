"""What can keep a load from being put on a service."""


class LoadError(Exception):
    """It can't be done as asked; the message says why."""

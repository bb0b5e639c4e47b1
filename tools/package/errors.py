"""What can go wrong while packaging."""


class PackagingError(Exception):
    """The package can't be built; the message says what to do."""

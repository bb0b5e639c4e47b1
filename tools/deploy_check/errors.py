"""What can go wrong in a rehearsal."""


class RehearsalError(Exception):
    """The rehearsal can't go on; the message says what was found and where to look."""


class NotPrepared(RehearsalError):
    """Something that a rehearsal needs is not on this machine."""

"""What keeps a torture run from running; a broken promise is none of these."""


class NotPrepared(Exception):
    """This machine lacks something; its text says what to do."""


class NotStarted(Exception):
    """Something of the service did not come up, or did not come back after a fault."""

"""What can keep the local stack from starting."""


class LocalCloudError(Exception):
    """Something the developer can put right; its text says what to do."""

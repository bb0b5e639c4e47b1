"""What can keep the local cloud from starting."""


class LocalCloudError(Exception):
    """Something the developer can put right; its text says what to do."""

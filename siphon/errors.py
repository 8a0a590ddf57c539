"""The one exception a user is meant to see."""


class SiphonError(Exception):
    """What was wrong, where, and what would be right, in one line; the CLI prints it and exits 1."""


class UnfitError(SiphonError):
    """A host cannot be read by this means; another may do."""

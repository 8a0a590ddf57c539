"""Which lines are left out, and why."""

SKIPS = {"twin": "the same session is read from a file that has more of it"}

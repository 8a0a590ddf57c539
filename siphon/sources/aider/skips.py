"""Which parts of a history are left out, and why."""

SKIPS = {
    "repeated": "a question that /ask, /code or /architect passes on, in the user's own words",
    "blank": "the user pressed Enter",
}

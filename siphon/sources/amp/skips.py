"""Which parts of a thread are left out, and why."""

SKIPS = {
    "block/redacted_thinking": "encrypted",
    "twin": "the same thread is read from a file that has more of it",
}

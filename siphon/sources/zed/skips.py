"""Which parts of a thread are left out, and why."""

SKIPS = {
    "message/Resume": "a click on Continue",
    "content/RedactedThinking": "encrypted",
    "segment/redacted_thinking": "encrypted",
}

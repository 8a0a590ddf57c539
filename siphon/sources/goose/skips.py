"""Which parts are left out, and why."""

SKIPS = {
    "content/redactedThinking": "encrypted",
    "content/toolConfirmationRequest": "a question whether a call may run; the call tells the answer",
    "content/actionRequired": "a question to the user; what came of it follows",
    "usage/imported": "an import's copy of the original's counters",
    "twin": "the same session in the store of this host, which is read",
}

"""Which parts and rows are left out, and why."""

SKIPS = {
    "part/step-start": "marks where a model request began; its end (step-finish) is read",
    "part/snapshot": "names a git snapshot of the tool's own; files are read from tools and patches",
    "part/compaction": "marks where a compaction was asked for; its summary is read",
    "twin": "the same session in another log of this host (store over tree over export), which is read",
    "session_message": "a newer build's mirror of the message and part rows",
    "event": "a newer build's journal of what the message and part rows hold",
}

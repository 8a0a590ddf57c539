"""Record types that are left out on purpose, and why."""

SKIPS = {"file": "versions of files that were edited; the edits are read as calls"}

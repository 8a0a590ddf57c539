"""Which rows, blobs and blocks are left out, and why."""

SKIPS = {
    "composer/empty": "a draft, or headers without one bubble that says something",
    "tab/empty": "a tab of the old chat in which nothing was said",
    "composer/deleted": "a key whose value is gone",
    "bubble/empty": "no text, thought or call in it",
    "bubble/compaction": "marks where the conversation was compacted; it holds no summary",
    "usage/alternate": "of a best-of-N run: the alternates' usage is not summed",
    "aiService.prompts": "typed prompts again, without time or conversation",
    "aiService.generations": "the prompts' first words again",
    "block/redacted": "a text that Cursor replaced by [REDACTED]: nothing is left of it",
    "blob/unreached": "old branches, which the chat's last root no longer names",
    "content/redacted-reasoning": "encrypted",
    "content/image": "images are left out",
    "content/file": "files are left out",
    "composer/header": "a workspace's list of conversations that the global store holds",
    "twin": "the same conversation in another log of this host (CLI, then store, then transcript)",
}

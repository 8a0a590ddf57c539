"""Where Cursor keeps things, below the home."""

ROOTS = (".config", "Library/Application Support", "AppData/Roaming")
USERS = tuple(f"{root}/{name}/User" for root in ROOTS for name in ("Cursor", "Cursor Nightly"))
GLOBALS = tuple(f"{user}/globalStorage/state.vscdb" for user in USERS)
WORKSPACES = tuple(f"{user}/workspaceStorage/*/state.vscdb" for user in USERS)
TRANSCRIPTS = tuple(
    f".cursor/projects/*/agent-transcripts/{below}"
    for below in ("*/*.jsonl", "*/subagents/*.jsonl", "*.jsonl", "*.txt")
)
CHATS = ".cursor/chats/*/*/store.db"

"""Where goose keeps its sessions, below the home."""

ROOTS = (
    ".local/share/goose/sessions",
    "Library/Application Support/goose/sessions",
    "Library/Application Support/Block/goose/sessions",
    "Library/Application Support/Block/goose/data/sessions",
    ".local/share/Block/goose/sessions",
    "AppData/Roaming/Block/goose/data/sessions",
)
STORES = tuple(f"{root}/sessions.db" for root in ROOTS)
FILES = tuple(f"{root}/*.jsonl" for root in ROOTS)

"""Where Zed keeps its threads, below the home."""

DATA = (
    ".local/share/zed",
    ".var/app/dev.zed.Zed/data/zed",
    ".var/app/dev.zed.Zed-Preview/data/zed",
    "Library/Application Support/Zed",
    "AppData/Local/Zed",
)
STORES = tuple(f"{folder}/threads/threads.db" for folder in DATA)
TEXTS = tuple(f"{folder}/conversations/*.zed.json" for folder in (*DATA, ".config/zed"))

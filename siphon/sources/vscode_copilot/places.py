"""Where VS Code and its kin keep chats, below the home."""

_VARIANTS = (
    "Code",
    "Code - Insiders",
    "Code - Exploration",
    "VSCodium",
    "VSCodium - Insiders",
    "Positron",
)
ROOTS = (".config", "Library/Application Support", "AppData/Roaming")
USERS = (
    *(f"{root}/{variant}/User" for root in ROOTS for variant in _VARIANTS),
    ".local/share/code-server/User",
    ".vscode-server/data/User",
    ".vscode-server-insiders/data/User",
)
FOLDERS = (
    "workspaceStorage/*/chatSessions",
    "globalStorage/emptyWindowChatSessions",
    "globalStorage/transferredChatSessions",
)
GLOBS = (
    *(f"{user}/{place}/*.{end}" for user in USERS for place in FOLDERS for end in ("json", "jsonl")),
    *(f"{user}/workspaceStorage/*/state.vscdb" for user in USERS),
)
BESIDE = (
    *(f"{user}/workspaceStorage/*/workspace.json" for user in USERS),
    *(f"{user.removesuffix('User')}Workspaces/*/workspace.json" for user in USERS),
)

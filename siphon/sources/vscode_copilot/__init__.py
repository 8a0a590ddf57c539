"""VS Code chat (GitHub Copilot): <User>/workspaceStorage/<hash>/chatSessions/<id>.json or .jsonl.

<User> is ~/.config/Code/User, ~/Library/Application Support/Code/User, AppData/Roaming/Code/User; so too
for Insiders, Exploration, VSCodium, Positron and code-server. Chats without a folder lie in
globalStorage/emptyWindowChatSessions; early builds' in state.vscdb. A .json is one document; a .jsonl
is a log of changes to one, which replay.py plays. logs.py says which copy of a chat is read. One request
is one prompt and its response, whose parts are read in order; the rounds in its metadata repeat them
and give only arguments and results of calls. Tokens are those of the model's last round, cached ones
among the input: where there were more rounds the request is marked incomplete. Copilot bills premium
requests, no dollars. Documents of "Export Chat" are known by their content.

Evidence: the writer's chat model, session store and mutation log; no real log; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.vscode_copilot.kinds import SKIPS
from siphon.sources.vscode_copilot.places import BESIDE, GLOBS

SOURCES = (
    Source(
        name="vscode_copilot",
        title="VS Code Copilot Chat",
        globs=GLOBS,
        parse=later("siphon.sources.vscode_copilot.logs", "parse"),
        beside=BESIDE,
        recognise=later("siphon.sources.vscode_copilot.logs", "recognise"),
        sqlite=True,
        skips=SKIPS,
        evidence="the writer's code, no real log; 2026-11-21",
        gaps="tokens of all rounds but the last, cache, reasoning, cost, git",
    ),
)

"""Cursor: the IDE's SQLite stores, transcripts of its agents, and the CLI's chats.

~/.config/Cursor/User/globalStorage/state.vscdb (macOS ~/Library/Application Support, Windows
AppData/Roaming) holds conversations as composerData:<id> and their bubbles as bubbleId:<id>:<bubble>;
until early 2025 they lie in workspaceStorage/<hash>/state.vscdb, and before that as tabs of a chat.
~/.cursor/projects/<slug>/agent-transcripts holds what went to and from the model (old: .txt), without
times, ids and tokens; ~/.cursor/chats/<md5>/<id>/store.db the CLI's chats, blobs that name each other.
logs.py says which log yields a conversation that lies in several. A bubble's token count is the context
of a turn's last request, where it is not zero: such requests are marked incomplete. What usage-based
billing took is told per conversation and model. Duplicates repeat rows under new ids (lineage.py).

Evidence: a real workspace store of November 2024 and samples of transcripts; for the rest what readers
of the format published; 2026-11-21. The stores hold secrets beside all this: none is read.
"""

from siphon.source import Source, later
from siphon.sources.cursor.roots import CHATS, GLOBALS, ROOTS, TRANSCRIPTS, USERS, WORKSPACES
from siphon.sources.cursor.skips import SKIPS

SOURCES = (
    Source(
        name="cursor",
        title="Cursor",
        globs=(*GLOBALS, *WORKSPACES, *TRANSCRIPTS),
        parse=later("siphon.sources.cursor.logs", "parse"),
        beside=(
            *(f"{user}/workspaceStorage/*/workspace.json" for user in USERS),
            *(f"{root}/Cursor/Workspaces/*/workspace.json" for root in ROOTS),
        ),
        recognise=later("siphon.sources.cursor.places", "recognise"),
        sqlite=True,
        skips=SKIPS,
        evidence="a workspace store of 2024-11, samples of transcripts, published notes; 2026-11-21",
        gaps="tokens of most requests, cache at all, version; in transcripts also times, ids and models",
    ),
    Source(
        name="cursor_cli",
        title="Cursor CLI",
        globs=(CHATS,),
        parse=later("siphon.sources.cursor.logs", "parse_chat"),
        beside=(".cursor/chats/*/*/meta.json",),
        resume=lambda native_id: f"cursor-agent --resume {native_id}",
        recognise=later("siphon.sources.cursor.places", "recognise_chat"),
        sqlite=True,
        skips=SKIPS,
        evidence="published notes on one or two captures, no real log; 2026-11-21",
        gaps="times of messages, tokens, cost, git, version",
    ),
)

"""Zed's agent: ~/.local/share/zed/threads/threads.db, one row a thread, its document as JSON or zstd.

macOS: ~/Library/Application Support/Zed; Windows: AppData/Local/Zed; Flatpak below ~/.var/app. Text
threads of old builds are files in conversations/. Messages have no times. Usage is the whole thread's
where it is told, marked as a sum, else that of the last request of each prompt, marked incomplete; input
is without cache. Agents of others that run inside Zed (Claude Code, Codex, Gemini) keep their own logs.

Evidence: what readers of the format published, and the writer's structures; no real log; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.zed.places import STORES, TEXTS
from siphon.sources.zed.skips import SKIPS

SOURCES = (
    Source(
        name="zed",
        title="Zed",
        globs=(*STORES, *TEXTS),
        parse=later("siphon.sources.zed.logs", "parse"),
        recognise=later("siphon.sources.zed.logs", "recognise"),
        sqlite=True,
        skips=SKIPS,
        evidence="published notes and the writer's structures, no real log; 2026-11-21",
        gaps="times of messages; usage of all requests but each prompt's last; version, cost",
    ),
)

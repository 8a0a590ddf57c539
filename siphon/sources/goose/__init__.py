"""Goose: ~/.local/share/goose/sessions/sessions.db, before late 2025 one <id>.jsonl a session beside it.

Windows: AppData/Roaming/Block/goose/data/sessions; macOS builds differ, all places are looked at. A
message is a row of content blocks; a call's result rides in a later message of the user's. A session's
native id is Goose's with the second of its creation, since Goose counts the sessions of a day. One row
of the usage ledger is one billed response; what the session's running totals have beyond the ledger is
one request more, marked as a sum. Whether input holds the cache is told by the row's total. A fork's
rows keep their message ids and times, by which they are known; an import's totals are not counted again.

Evidence: the writer's session manager for schema, usage and copies; no real log; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.goose.places import FILES, STORES
from siphon.sources.goose.skips import SKIPS

SOURCES = (
    Source(
        name="goose",
        title="Goose",
        globs=(*STORES, *FILES),
        parse=later("siphon.sources.goose.logs", "parse"),
        resume=later("siphon.sources.goose.logs", "resume"),
        recognise=later("siphon.sources.goose.logs", "recognise"),
        sqlite=True,
        skips=SKIPS,
        evidence="the writer's session manager, no real log; 2026-11-21",
        gaps="git, version, durations; whether input holds the cache; early requests one by one",
    ),
)

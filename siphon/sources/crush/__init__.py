"""Crush, and OpenCode's first form in Go, of which it came: one SQLite store in each project.

<project>/.crush/crush.db, <project>/.opencode/opencode.db: sessions and messages, a message's parts as a
JSON list of {type, data}. A session's cost is the sum of all its requests; its tokens are those of the
last one only, so they are not counted: a session's one request tells the cost and no tokens, and is
marked incomplete. A session that an agent's call started has the call's id in its own. The store tells
the project's folder only by where it lies, below the home.

Evidence: the writers' message and agent code, and readers of both; no real log; 2026-11-21.
"""

from functools import partial

from siphon.source import Source, later
from siphon.sources.crush.skips import SKIPS

_PARSE = later("siphon.sources.crush.logs", "parse")
_PLACE = later("siphon.sources.crush.logs", "place")
_EVIDENCE = "the writer's message and agent code, no real log; 2026-11-21"

SOURCES = (
    Source(
        name="crush",
        title="Crush",
        globs=("**/.crush/crush.db",),
        parse=_PARSE,
        recognise=partial(_PLACE, file="crush.db", parent=".crush"),
        sqlite=True,
        skips=SKIPS,
        evidence=_EVIDENCE,
        gaps="tokens of any request but the last; a session's folder, git, version",
    ),
    Source(
        name="opencode_go",
        title="OpenCode (Go)",
        globs=("**/.opencode/opencode.db",),
        parse=_PARSE,
        recognise=partial(_PLACE, file="opencode.db", parent=".opencode"),
        sqlite=True,
        skips=SKIPS,
        evidence=_EVIDENCE,
        gaps="as Crush",
    ),
)

"""Pi and its family: ~/.pi/agent/sessions/--<cwd>--/<time>_<uuid>.jsonl, one entry a line, a tree.

The first line is the header; entries hang together by id and parentId (version 1: one after the other).
One assistant entry is one model response with final numbers: input without cache, output with reasoning,
the tool's own cost beside them (0 beside tokens: not reported). A fork's file begins with its parent's
entries. Paths are the same below the home on Linux, macOS and Windows.
oh-my-pi writes the same below ~/.omp, a subagent's file in a folder named as its parent's.
OpenClaw writes it to ~/.openclaw/agents/<agent>/sessions/<uuid>.jsonl and keeps who spawned whom in
sessions.json; a reset or deleted session's file gets `.reset.<time>` or `.deleted.<time>` as its end.

Evidence: pi's own docs/session-format.md (0.74), logs of pi-mono 2025-11/12 (version 1), samples of
version 3 and of OpenClaw; checked 2026-11-21. oh-my-pi: its published notes only.
"""

from functools import partial

from siphon.source import Source, later
from siphon.sources.pi.skips import SKIPS

OPENCLAW_ROOTS = (".openclaw", ".clawdbot", ".moltbot", ".moldbot")
_PARSE = later("siphon.sources.pi.logs", "parse_pi")
_RECOGNISE = later("siphon.sources.pi.logs", "recognise")
_EVIDENCE = "pi 0.74 session-format.md and real logs of 2025-11/12; 2026-11-21"

SOURCES = (
    Source(
        name="pi",
        title="Pi",
        globs=(".pi/agent/sessions/**/*.jsonl",),
        parse=_PARSE,
        resume=lambda native_id: f"pi --session {native_id}",
        recognise=partial(_RECOGNISE, name="pi"),
        skips=SKIPS,
        evidence=_EVIDENCE,
        gaps="git, version; cost under subscriptions (0)",
    ),
    Source(
        name="oh_my_pi",
        title="oh-my-pi",
        globs=(".omp/agent/sessions/**/*.jsonl",),
        parse=_PARSE,
        resume=lambda native_id: f"omp --resume {native_id}",
        recognise=partial(_RECOGNISE, name="oh_my_pi"),
        skips=SKIPS,
        evidence="its published notes on the format, no real log; 2026-11-21",
        gaps="as Pi",
    ),
    Source(
        name="openclaw",
        title="OpenClaw",
        globs=tuple(
            f"{root}/agents/*/sessions/*.jsonl{end}"
            for root in OPENCLAW_ROOTS
            for end in ("", ".{deleted,reset}.*")
        ),
        parse=later("siphon.sources.pi.logs", "parse_openclaw"),
        beside=tuple(f"{root}/agents/*/sessions/sessions.json" for root in OPENCLAW_ROOTS),
        recognise=partial(_RECOGNISE, name="openclaw"),
        skips={**SKIPS, "twin": "the same session as another file of this host, which is read instead"},
        evidence="samples of version 3; 2026-11-21",
        gaps="as Pi, and reasoning tokens",
    ),
)

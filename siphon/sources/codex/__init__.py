"""Codex CLI, `codex exec`, IDE extension and desktop app; TraeX, which writes the same files.

Logs: ~/.codex/sessions/YYYY/MM/DD/rollout-<local time>-<thread id>.jsonl, one event a line; `.zst`
beside or instead of it once compressed; moved to ~/.codex/archived_sessions when archived. Before
September 2025 flat below sessions/, without envelope, and before that one `.json` document.

One log holds one session: a session_meta, then response items (what the model saw) and events (what the
user saw) interleaved, each text in both. Usage comes as running totals. A fork, and a subagent given its
parent's history, begin with a copy of the parent's lines: that copy is left out where the parent's log
is held, and where it is not, it is told as a partial sighting of the parent, whose requests are nested.

Ids. Requests have none in these logs: `<turn id>:<running input + output tokens>` is the same in every
copy of the line, on every host and in every fork, and differs for what a fork did itself. Where a turn
has no UUID (before 2026) the thread's id stands for it. A `~2` follows where a total returns after a
reset. Messages have the item's id where one is logged, calls their call id; short ones are made unique
by the thread's.

Evidence: formats/codex.md; the persistence policy and fragment markers of openai/codex's rollout and
core crates; 19 real logs of 0.40 (2025-09) to 0.146 (2026-08). Checked 2026-11-21. TraeX's folder: four
independent readers name ~/.trae/cli; none of its logs was seen.
"""

from siphon.source import Source, later
from siphon.sources.codex.skips import SKIPS


def resume(native_id: str) -> str | None:
    """The command that reopens a session."""
    return f"codex resume {native_id}"


parse = later("siphon.sources.codex.logs", "parse")
recognise = later("siphon.sources.codex.logs", "recognise")
EVIDENCE = "writer's protocol and rollout crates; real logs of 0.40 to 0.146; checked 2026-11-21"

SOURCES = (
    Source(
        name="codex",
        title="Codex",
        globs=(
            ".codex/sessions/**/rollout-*.jsonl{,.zst}",
            ".codex/archived_sessions/**/rollout-*.jsonl{,.zst}",
            ".codex/sessions/rollout-*.json",
        ),
        beside=(".codex/session_index.jsonl",),
        parse=parse,
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence=EVIDENCE,
        gaps="ids of requests; cost; service tier",
    ),
    Source(
        name="traex",
        title="TraeX",
        globs=(
            ".trae/cli/sessions/**/rollout-*.jsonl{,.zst}",
            ".trae/cli/archived_sessions/**/rollout-*.jsonl{,.zst}",
        ),
        beside=(".trae/cli/session_index.jsonl",),
        parse=parse,
        skips=SKIPS,
        evidence="Codex's format; its folder by independent readers, no log of it seen; 2026-11-21",
        gaps="as Codex",
    ),
)

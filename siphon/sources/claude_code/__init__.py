"""Claude Code: ~/.claude/projects/<folder>/<session>.jsonl, one event a line, written while it happens.

A session's subagents have logs of their own, `<session>/subagents/**/agent-<id>.jsonl`, each with an
`agent-<id>.meta.json`; in older releases they lie beside the session's log, in the oldest their lines
stand in it, marked as side chain. Outputs too long for a line lie in `<session>/tool-results/`.
A model's response is one line a content block, each repeating the response's id and its usage so far.
Journal and snapshots of workflows are collected, but they tell nothing that the agents' logs do not.

Evidence: real logs of releases 1.0.17 to 2.1.220, the vendor's claude-agent-sdk 0.2.186 and the readers
that formats/claude_code.md names; checked 2026-11-21. There is no published schema.
"""

from siphon.source import Retention, Source, later
from siphon.sources.claude_code.skips import SKIPS

_EVIDENCE = "logs of releases 1.0.17 to 2.1.220 and claude-agent-sdk 0.2.186, checked 2026-11-21"
_PARSE = later("siphon.sources.claude_code.reading", "parse")
_LOGS = ("projects/*/*.jsonl", "projects/*/*/subagents/**/agent-*.jsonl")
_BESIDE = (
    "projects/*/*/subagents/**/agent-*.meta.json",
    "projects/*/*/subagents/**/journal.jsonl",
    "projects/*/*/tool-results/*",
    "projects/*/*/workflows/*.json",
)


def _below(roots: tuple[str, ...], patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{root}/{pattern}" for root in roots for pattern in patterns)


def _retention(*folders: str) -> Retention:
    """Transcripts not changed for `cleanupPeriodDays` are deleted when the tool starts."""
    return Retention(
        days=30,
        read=later("siphon.sources.claude_code.cleanup", "days"),
        user=tuple(f"{folder}/settings.json" for folder in folders),
        project=(".claude/settings.json", ".claude/settings.local.json"),
        managed=(
            "/etc/claude-code/managed-settings.json",
            "/Library/Application Support/ClaudeCode/managed-settings.json",
        ),
    )


def _resume(native_id: str) -> str | None:
    """A subagent cannot be reopened."""
    return None if "/" in native_id else f"claude --resume {native_id}"


SOURCES = (
    Source(
        name="claude_code",
        title="Claude Code",
        globs=_below((".claude", ".config/claude"), _LOGS),
        parse=_PARSE,
        beside=_below((".claude", ".config/claude"), _BESIDE),
        resume=_resume,
        recognise=later("siphon.sources.claude_code.loose", "recognise"),
        skips=SKIPS,
        evidence=_EVIDENCE,
        retention=_retention(".claude", ".config/claude"),
        gaps="cost (the oldest releases told it); usage that never came before an interruption",
    ),
    Source(
        name="openclaude",
        title="OpenClaude",
        globs=_below((".openclaude",), _LOGS),
        parse=_PARSE,
        beside=_below((".openclaude",), _BESIDE),
        skips=SKIPS,
        evidence="Claude Code's lines, as its readers say; no log of its own was seen; 2026-11-21",
        gaps="as Claude Code",
    ),
)

"""GitHub Copilot CLI: ~/.copilot/session-state/<uuid>/events.jsonl, one event a line, appended.

Older: `session-state/<uuid>.jsonl` (the same events) and, oldest, one document,
`history-session-state/session_<uuid>_<ms>.json`. Of one session in several layouts only one is read: the
folder before the flat file before the document, of several documents the latest. VS Code's background
agents write the same folders. Not read: session-store.db (made of the events), otel/ (the same requests
again), logs and config (secrets).

The log does not say: tokens of single requests (only output), except where `assistant.usage` is kept.
Evidence: the vendor's event schema (github-copilot-sdk 1.0.27) and logs of 1.0.64 to 1.0.74; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.copilot_cli.skips import SKIPS

parse = later("siphon.sources.copilot_cli.logs", "parse")
recognise = later("siphon.sources.copilot_cli.logs", "recognise")


def resume(native_id: str) -> str | None:
    """A subagent cannot be reopened."""
    return None if "/" in native_id else f"copilot --resume {native_id}"


SOURCES = (
    Source(
        name="copilot_cli",
        title="GitHub Copilot CLI",
        globs=(
            "{.copilot,.config/copilot}/session-state/*/events.jsonl",
            "{.copilot,.config/copilot}/session-state/*.jsonl",
            "{.copilot,.config/copilot}/history-session-state/session_*.json",
        ),
        parse=parse,
        beside=("{.copilot,.config/copilot}/session-state/*/workspace.yaml",),
        resume=resume,
        version=2,
        recognise=recognise,
        skips=SKIPS,
        evidence="vendor's event schema (github-copilot-sdk 1.0.27), logs of 1.0.64-1.0.74, 2026-11-21",
        gaps="input tokens and cost of single requests, but where usage events are kept",
    ),
)

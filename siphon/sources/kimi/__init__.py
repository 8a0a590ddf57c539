"""Kimi CLI: ~/.kimi/sessions/<MD5 of the project's path>/<uuid>/wire.jsonl, events as they came.

Kimi Code, its heir: ~/.kimi-code/sessions/wd_<name>_<hash>/session_<uuid>/agents/<agent>/wire.jsonl.
Beside them state.json (title, folder); ~/.kimi/kimi.json has the paths. context.jsonl, and in the oldest
layout `<MD5>/<uuid>.jsonl`, is the model's history: it is read only where no wire tells the session.

The log does not say: git, version, cost; in the old wire the model (config.toml has it, and API keys).
Evidence: the wire of kimi-cli as other readers describe it, wires of Kimi Code 1.4; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.kimi.skips import SKIPS

parse = later("siphon.sources.kimi.logs", "parse")
recognise = later("siphon.sources.kimi.logs", "recognise")


def resume(native_id: str) -> str | None:
    """A subagent cannot be reopened."""
    return None if "/" in native_id else f"kimi --session {native_id}"


SOURCES = (
    Source(
        name="kimi",
        title="Kimi CLI and Kimi Code",
        globs=(
            ".kimi/sessions/*/*/wire.jsonl",
            ".kimi/sessions/*/*/context.jsonl",
            ".kimi/sessions/*/*/subagents/*/{wire,context}.jsonl",
            ".kimi/sessions/*/*.jsonl",
            ".kimi-code/sessions/*/*/agents/*/wire.jsonl",
        ),
        parse=parse,
        beside=(
            ".kimi/kimi.json",
            ".kimi/sessions/*/*/state.json",
            ".kimi/sessions/*/*/**/meta.json",
            ".kimi/sessions/*/*/**/context_*.jsonl",
            ".kimi-code/sessions/*/*/state.json",
        ),
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence="wires of Kimi Code 1.4, kimi-cli's wire as other readers describe it, 2026-11-21",
        gaps="git, version, cost, reasoning tokens; in the old wire the model",
    ),
)

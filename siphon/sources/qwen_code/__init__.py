"""Qwen Code: ~/.qwen/projects/<slug>/chats/<session id>.jsonl, one record a line, appended.

Subagents: `<slug>/subagents/<session id>/agent-<id>.jsonl`, and `.meta.json` beside it. Until late 2025
the files were those of Gemini CLI, of which it is a fork: `~/.qwen/tmp/<hash>/chats/session-*.json`.

/branch copies every record with its uuid into the new session's file: the copies keep that id, their
requests are `nested`, and a relation names the source. Rewound records are those off the last one's
chain. The log does not say: cost; in subagents, the usage of rounds that only call tools.
Evidence: the writer's source (chatRecordingService, agent-transcript, 2026); 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.qwen_code.skips import SKIPS

parse = later("siphon.sources.qwen_code.logs", "parse")
recognise = later("siphon.sources.qwen_code.logs", "recognise")


def resume(native_id: str) -> str | None:
    """A subagent cannot be reopened."""
    return None if "/" in native_id else f"qwen --resume {native_id}"


SOURCES = (
    Source(
        name="qwen_code",
        title="Qwen Code",
        globs=(
            ".qwen/projects/*/chats/*.jsonl",
            ".qwen/projects/*/**/subagents/**/*.jsonl",
            ".qwen/tmp/*/chats/session-*.{json,jsonl}",
        ),
        parse=parse,
        beside=(".qwen/projects/*/**/subagents/**/*.meta.json", ".qwen/tmp/*/.project_root"),
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence="writer's source (chatRecordingService, agent-transcript, 2026), 2026-11-21",
        gaps="cost, cache writes; in subagents the usage of rounds that only call tools",
    ),
)

"""Qwen Code: ~/.qwen/projects/<slug>/chats/<session id>.jsonl, one record a line, appended.

Subagents: `<slug>/subagents/<session id>/agent-<id>.jsonl`, and `.meta.json` beside it. Until late 2025
the files were those of Gemini CLI, of which it is a fork: `~/.qwen/tmp/<hash>/chats/session-*.json`.

/branch copies every record with its uuid into the new session's file: the copies keep that id, their
requests are `nested`, and a relation names the source. Rewound records are those off the last one's
chain. The log does not say: cost; in subagents, the usage of rounds that only call tools.
Evidence: the writer's source (chatRecordingService, agent-transcript, 2026); 2026-11-21.
"""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record
from siphon.source import Source
from siphon.sources import gemini_cli
from siphon.sources._decode import head
from siphon.sources.qwen_code import reading
from siphon.sources.qwen_code.skips import SKIPS


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one transcript, of either format."""
    if "/tmp/" in log.path or log.path.endswith(".json"):
        yield from gemini_cli.parse(log)
    else:
        yield from reading.parse(log, log.stem)


def resume(native_id: str) -> str | None:
    """A subagent cannot be reopened."""
    return None if "/" in native_id else f"qwen --resume {native_id}"


def recognise(log: Log) -> str | None:
    """By Gemini's parts in records with uuids; an older file by its models."""
    for value in head(log):
        message = value.get("message")
        shaped = "systemPayload" in value or (isinstance(message, dict) and "parts" in message)
        if shaped and "uuid" in value and isinstance(value.get("sessionId"), str):
            return _place(log, value)
    if gemini_cli.ours_by_model(log, "qwen", "coder-model"):
        return gemini_cli.place(log, ".qwen")
    return None


def _place(log: Log, value: dict[str, object]) -> str:
    named = {str(other.get("sessionId")) for other in head(log)}
    own = log.stem if log.stem in named else str(value["sessionId"])
    folder = f".qwen/projects/{re.sub('[^A-Za-z0-9]', '-', str(value.get('cwd') or 'unknown'))}"
    if value.get("isSidechain") and value.get("agentId"):
        return f"{folder}/subagents/{own}/agent-{value['agentId']}.jsonl"
    return f"{folder}/chats/{own}.jsonl"


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
    ),
)

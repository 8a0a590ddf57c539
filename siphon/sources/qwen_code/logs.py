"""Of which format a file is, and where a loose one would lie."""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record
from siphon.sources._decode import head
from siphon.sources.gemini_cli import logs as gemini
from siphon.sources.qwen_code import reading


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one transcript, of either format."""
    if "/tmp/" in log.path or log.path.endswith(".json"):
        yield from gemini.parse(log)
    else:
        yield from reading.parse(log, log.stem)


def recognise(log: Log) -> str | None:
    """By Gemini's parts in records with uuids; an older file by its models."""
    for value in head(log):
        message = value.get("message")
        shaped = "systemPayload" in value or (isinstance(message, dict) and "parts" in message)
        if shaped and "uuid" in value and isinstance(value.get("sessionId"), str):
            return _place(log, value)
    if gemini.ours_by_model(log, "qwen", "coder-model"):
        return gemini.place(log, ".qwen")
    return None


def _place(log: Log, value: dict[str, object]) -> str:
    named = {str(other.get("sessionId")) for other in head(log)}
    own = log.stem if log.stem in named else str(value["sessionId"])
    folder = f".qwen/projects/{re.sub('[^A-Za-z0-9]', '-', str(value.get('cwd') or 'unknown'))}"
    if value.get("isSidechain") and value.get("agentId"):
        return f"{folder}/subagents/{own}/agent-{value['agentId']}.jsonl"
    return f"{folder}/chats/{own}.jsonl"

"""Which of a session's logs is read, and where a loose one would lie."""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources.copilot_cli import legacy, reading

_LEGACY = re.compile(r"session_(.+?)_(\d+)")


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one log, or a twin's tally."""
    if _twin(log):
        yield Tally("twin", "skipped", 1)
    elif log.path.endswith(".json"):
        yield from legacy.parse(log, _legacy_id(log)[0])
    else:
        yield from reading.parse(log, log.parts[-2] if log.name == "events.jsonl" else log.stem)


def _legacy_id(log: Log) -> tuple[str, int]:
    found = _LEGACY.fullmatch(log.stem)
    return (found[1], int(found[2])) if found else (log.stem.removeprefix("session_"), 0)


def _twin(log: Log) -> bool:
    """Whether a log that has more of the session is there."""
    if log.path.endswith(".json"):
        own, ms = _legacy_id(log)
        newer = [f"../session-state/{own}/events.jsonl", f"../session-state/{own}.jsonl"]
        later = (Log(log.home, log.host, path) for path in log.glob(f"session_{_literal(own)}*.json"))
        return any(log.near(path) for path in newer) or any(
            _legacy_id(other)[0] == own and _legacy_id(other)[1] > ms for other in later
        )
    return log.name != "events.jsonl" and log.near(f"{log.stem}/events.jsonl") is not None


def _literal(text: str) -> str:
    """The text as a glob that matches nothing else by accident."""
    return re.sub(r"[*?\[\]{}]", "?", text)


def recognise(log: Log) -> str | None:
    """By session.start's producer or the event's shape; a legacy document by its two lists."""
    for value in head(log):
        data = value.get("data")
        if value.get("type") == "session.start" and isinstance(data, dict) and data.get("sessionId"):
            return f".copilot/session-state/{data['sessionId']}/events.jsonl"
        if "chatMessages" in value and "timeline" in value and value.get("sessionId"):
            return f".copilot/history-session-state/session_{value['sessionId']}_0.json"
    return None

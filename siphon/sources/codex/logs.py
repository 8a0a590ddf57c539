"""Which of a session's files is read, and where a loose one would lie."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources._loose import mapping, stamp, text
from siphon.sources.codex.reader import records
from siphon.sources.codex.twins import chosen

_NAMED = re.compile(r"rollout-(\d{4})-(\d\d)-(\d\d)T\d\d-\d\d-\d\d-.+\.jsonl(\.zst)?")
_WRAPPED = ("session_meta", "response_item", "event_msg", "turn_context")


def parse(log: Log) -> Iterator[Record]:
    """The session of a log; of a log whose twin is read instead only a tally."""
    return records(log) if chosen(log) else iter([Tally("twin", "skipped", 1)])


def recognise(log: Log) -> str | None:
    """Where a loose rollout would lie: by its name, else by its session_meta's id and time."""
    first = next(iter(head(log, 1)), {})
    if isinstance(first.get("session"), dict) and isinstance(first.get("items"), list):
        return f".codex/sessions/{log.name}" if log.name.endswith(".json") else None
    payload = mapping(first.get("payload"))
    if first.get("type") in _WRAPPED and payload:
        meta = payload if first["type"] == "session_meta" else {}
    elif "type" not in first and {"id", "timestamp", "instructions"} <= first.keys():
        meta = first
    else:
        return None
    named = _NAMED.fullmatch(log.name)
    if named:
        return f".codex/sessions/{named[1]}/{named[2]}/{named[3]}/{log.name}"
    return _place(text(meta.get("id")), stamp(meta.get("timestamp")), log.path.endswith(".zst"))


def _place(native_id: str | None, began: int | None, compressed: bool) -> str | None:
    if native_id is None or "/" in native_id or began is None:
        return None
    try:
        moment = datetime.fromtimestamp(began / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    suffix = ".jsonl.zst" if compressed else ".jsonl"
    return f".codex/sessions/{moment:%Y/%m/%d}/rollout-{moment:%Y-%m-%dT%H-%M-%S}-{native_id}{suffix}"

"""Which of a session's files is read, of which format it is, and where a loose one would lie."""

from collections.abc import Iterator

import msgspec

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources.kimi import context, new, old
from siphon.sources.kimi.about import Place, place
from siphon.times import millis

_ANY = msgspec.json.Decoder()


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of a wire or a context, or a twin's tally."""
    at = place(log)
    if _is_context(log):
        yield from _context(log, at)
    elif not _tells(log) and log.near("context.jsonl") is not None:
        yield Tally("twin", "skipped", 1)
    elif _is_new(log):
        yield from new.parse(log, at)
    else:
        yield from old.parse(log, at)


def _is_context(log: Log) -> bool:
    """By its name, also that of the oldest layout; a loose one by its roles."""
    if log.name in ("context.jsonl", "wire.jsonl"):
        return log.name == "context.jsonl"
    return "sessions" in log.parts or any("role" in value for value in head(log, 1))


def _context(log: Log, at: Place) -> Iterator[Record]:
    """Read the context unless a wire, or a newer layout, tells the same."""
    wire = log.near("wire.jsonl") if log.name == "context.jsonl" else None
    newer = (
        [f"{at.folder}/{name}.jsonl" for name in ("wire", "context")]
        if at.root and log.name != "context.jsonl"
        else []
    )
    if (wire is not None and _tells(wire)) or any(log.at(path) for path in newer):
        yield Tally("twin", "skipped", 1)
    else:
        yield from context.parse(log, at, _times(wire) if wire is not None else iter(()))


def _tells(wire: Log) -> bool:
    """Whether a wire has words in it, not only the times of its events."""
    marks = (b'"user_input"', b'"input"', b'"text"')
    lines = Log(wire.home, wire.host, wire.path).lines()  # its problems are its own parse's to tell
    return any(mark in line.data for line in lines for mark in marks)


def _times(wire: Log) -> Iterator[int]:
    for _, value in Log(wire.home, wire.host, wire.path).objects(_ANY):
        stamp = value.get("timestamp") if isinstance(value, dict) else None
        ts = millis(stamp) if isinstance(stamp, str | int | float) else None
        if ts is not None:
            yield ts


def _is_new(log: Log) -> bool:
    """By its folder; a loose one by its lines, which are flat."""
    if "agents" in log.parts:
        return True
    return any("type" in value and ("time" in value or "created_at" in value) for value in head(log, 3))


def recognise(log: Log) -> str | None:
    """A wire by its lines, a context by its roles; what the loose path says is kept."""
    values, at = head(log, 4), place(log)
    kinds = [str(value.get("type")) for value in values]
    if any(kind.startswith(("config.", "turn.", "context.")) for kind in kinds):
        agent = at.agent or "main"
        return f".kimi-code/sessions/{at.project or 'wd_unknown'}/{at.session}/agents/{agent}/wire.jsonl"
    folder = f".kimi/sessions/{at.project or 'unknown'}/{at.session}"
    if at.agent:
        folder += f"/subagents/{at.agent}"
    if any(_old(value) for value in values):
        return f"{folder}/wire.jsonl"
    roles = {str(value.get("role")) for value in values if "role" in value}
    if roles & {"_system_prompt", "_checkpoint", "_usage"} or (roles and log.name == "context.jsonl"):
        return f"{folder}/context.jsonl"
    return None


def _old(value: dict[str, object]) -> bool:
    message = value.get("message")
    return isinstance(message, dict) and "type" in message and isinstance(value.get("timestamp"), float)

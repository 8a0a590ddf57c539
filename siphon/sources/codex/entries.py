"""A log's lines, decoded: where each lies, its bytes and its value."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.sources._decode import found_at, typed
from siphon.sources.codex.events import known_item
from siphon.sources.codex.lines import COMMON, DOCUMENT, ENTRY, WRAPPED, Entry, Wrapped

Placed = tuple[int, bytes, Wrapped | Entry]
_HEAD = 22  # lines among which a log's own session_meta stands


def entries(log: Log) -> Iterator[Placed]:
    """Offset, bytes and value of each line; of a single document those of its parts."""
    if _whole(log):
        return ((line.offset, line.data, entry) for line, entry in _parts(log))
    return chain.from_iterable(_blocks(log))


def _whole(log: Log) -> bool:
    """Whether the log is one document."""
    return log.path.endswith(".json")


def _blocks(log: Log) -> Iterator[Iterable[Placed]]:
    """A block's lines at once, so that none of them costs a step of a generator."""
    for block in log.decoded(_values, ENTRY.decode):
        yield zip(block.offsets, block.rows, block.values, strict=True)


def _values(rows: list[bytes]) -> list[Wrapped | Entry]:
    """The rows' values; nearly all are Wrapped, and decoded without a step of Python between."""
    found: list[Wrapped | Entry] = []
    rest = iter(rows)
    while len(found) < len(rows):
        try:
            found.extend(map(COMMON.decode, rest))
        except msgspec.ValidationError:  # one of the rarer types, or an old form
            found.append(ENTRY.decode(rows[len(found)]))
    return found


def _parts(log: Log) -> Iterator[tuple[Line, Entry]]:
    document = log.json(DOCUMENT)
    if document is None:
        return
    if document.session is not None:
        yield Line(1, 0, b""), Entry(type="session_meta", payload=document.session)
    data, at = log.data(), 0
    for raw in document.items:
        part = bytes(raw)
        at = max(found_at(data, part, at), at)
        line = Line(1, at, part)
        entry = typed(log, part, ENTRY, line)
        if entry is not None:
            yield line, entry


def unwrapped(entry: Entry) -> tuple[str, Entry]:
    """A line's full type and its payload; lines without envelope are put in theirs."""
    kind, payload = entry.type, entry.payload
    if kind in ("response_item", "event_msg") and payload is not None:
        if payload.type == "item_completed" and payload.item and not known_item(payload.item):
            return f"{kind}/item_completed/{payload.item.type}", payload
        return f"{kind}/{payload.type}", payload
    if payload is not None and isinstance(kind, str):
        return kind, payload
    if entry.record_type is not None:
        return str(entry.record_type), entry
    if kind is None and entry.role is not None:
        return "response_item/message", entry
    if kind is None and entry.id is not None:
        return "session_meta", entry
    if kind in WRAPPED or not isinstance(kind, str):
        return str(kind), Entry()
    return f"response_item/{kind}", entry


def own_meta(lines: Iterator[Placed]) -> tuple[Entry | None, Iterator[Placed]]:
    """The session's own session_meta, the first of the log, and all lines again."""
    head: list[Placed] = []
    for line in islice(lines, _HEAD):
        head.append(line)
        kind, payload = unwrapped(line[2]) if isinstance(line[2], Entry) else ("", None)
        if kind == "session_meta":
            return payload, chain(head, lines)
    return None, chain(head, lines)

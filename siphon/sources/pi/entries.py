"""A session's lines: decoded, keyed, and which of them lie on the way to the last leaf."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import mapping, stamp, text


class Entry(msgspec.Struct, rename="camel"):
    """One line of any type. Every field takes any type: readers of a field narrow it."""

    type: Any = None
    id: Any = None
    parent_id: Any = msgspec.UNSET  # None: a root; UNSET: version 1, which has no tree
    timestamp: Any = None
    message: Any = None
    cwd: Any = None
    parent_session: Any = None
    branched_from: Any = None
    title: Any = None
    provider: Any = None
    model_id: Any = None
    model: Any = None
    summary: Any = None
    handoff: Any = None
    usage: Any = None
    kind: Any = None
    content: Any = None
    display: Any = None
    custom_type: Any = None
    name: Any = None
    checkpoint: Any = None


class Row(NamedTuple):
    """An entry with its place; `key` is its native id, None for what has none (the header)."""

    entry: Entry
    body: dict[str, Any]  # the message of a `message` entry
    key: str | None
    ts: int | None  # the message's own time, else the entry's
    offset: int
    length: int
    line: int


_DECODER = msgspec.json.Decoder(Entry)


def rows(log: Log) -> Iterator[Row]:
    """Yield all lines in file order; a line that repeats an earlier one has its key.

    A key stays the same in every copy of an entry. 8-hex ids collide across sessions, and opening an
    old file gives its entries new ones (so two forks of one old session disagree): where both times are
    known they tell more than the id.
    """
    taken: dict[str, str | int] = {}
    for (number, offset, data), entry in log.objects(_DECODER):
        message = mapping(entry.message)
        written, said = stamp(entry.timestamp), stamp(message.get("timestamp"))
        key = None
        if entry.type != "session":
            mark = text(entry.id)
            if written is not None and said is not None:
                key = f"{written}.{said}.{message.get('role')}"
            else:
                key = _key(written, mark or _digest(data))
            same = mark or hash(data)
            if taken.setdefault(key, same) != same:
                key = f"{key}.{mark or _digest(data)}"
        ts = said if said is not None else written
        yield Row(entry, message, key, ts, offset, len(data), number)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()


def _key(written: int | None, mark: str) -> str:
    return mark if written is None else f"{mark}@{written}"


def parents_of(entries: Sequence[Row]) -> list[int | None]:
    """Each row's parent row."""
    places: dict[str, int] = {}
    parents: list[int | None] = []
    for index, row in enumerate(entries):
        parent = row.entry.parent_id
        before = index - 1 if index else None
        # A parent that no earlier entry has (none in version 1, a header's id, a call's id, a lost
        # line, a circle) hides nothing: the entry follows the one before it.
        if parent is None:
            parents.append(None)
        else:
            parents.append(places.get(parent, before) if isinstance(parent, str) else before)
        if text(row.entry.id) is not None:
            places[row.entry.id] = index
    return parents


def active(parents: Sequence[int | None]) -> set[int]:
    """The rows from a root to the last leaf, the last row of the file."""
    found: set[int] = set()
    at: int | None = len(parents) - 1 if parents else None
    while at is not None:
        found.add(at)
        at = parents[at]
    return found

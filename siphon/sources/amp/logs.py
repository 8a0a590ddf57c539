"""Which of a thread's files is read, and where a loose one would lie."""

import re
from collections.abc import Iterator

import msgspec

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources.amp import reading


class Version(msgspec.Struct):
    """What tells which file of a thread is the newest."""

    id: str | None = None
    v: int | None = None


_VERSION = msgspec.json.Decoder(Version, strict=False)


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one thread, or a twin's tally."""
    found = reading.thread(log)
    if found is None:
        return
    data, thread = found
    if _twin(log, Version(thread.id, thread.v)):
        yield Tally("twin", "skipped", 1)
    else:
        yield from reading.parse(log, data, thread)


def _twin(log: Log, own: Version) -> bool:
    """Whether another file of the thread is newer: of a greater `v`, else first by name."""
    if own.id is None or "/threads/" not in log.path:
        return False
    names = f"{re.sub(r'[^A-Za-z0-9_-]', '?', own.id)}*.json"
    rank = (-(own.v or 0), log.path)
    for path in log.glob(names):
        other = log.at(path) if path != log.path else None
        known = _version(other) if other is not None else None
        if known is not None and known.id == own.id and (-(known.v or 0), path) < rank:
            return True
    return False


def _version(log: Log) -> Version | None:
    try:
        return _VERSION.decode(log.data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def recognise(log: Log) -> str | None:
    """By the thread's id."""
    for value in head(log, 1):
        own = value.get("id")
        if isinstance(own, str) and own.startswith("T-") and "messages" in value:
            return f".local/share/amp/threads/{own}.json"
    return None

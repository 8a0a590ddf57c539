"""Amp: ~/.local/share/amp/threads/T-<uuid>.json, one document a thread, written anew at each step.

The same on macOS and Windows. Newer versions keep threads on the server; `amp threads export` gives the
same document. Of several files of one thread that with the greatest `v` is read.

The log does not say: when a response without usage came; what oracle, Task and finder used: the sums are
a lower bound. Credits are not dollars and are left out. The names of the relation fields are in doubt.
Evidence: other readers (the writer is closed); 2026-11-21.
"""

import re
from collections.abc import Iterator

import msgspec

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.source import Source
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


def resume(native_id: str) -> str | None:
    """Continues a thread."""
    return f"amp threads continue {native_id}"


def recognise(log: Log) -> str | None:
    """By the thread's id."""
    for value in head(log, 1):
        own = value.get("id")
        if isinstance(own, str) and own.startswith("T-") and "messages" in value:
            return f".local/share/amp/threads/{own}.json"
    return None


SOURCES = (
    Source(
        name="amp",
        title="Amp",
        globs=(".local/share/amp/threads/T-*.json",),
        parse=parse,
        resume=resume,
        recognise=recognise,
        skips=reading.SKIPS,
        evidence="other readers; the writer is closed, 2026-11-21",
    ),
)

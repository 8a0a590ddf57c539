"""Decoding that loses a field, never a record; and a look at files of unknown kind."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.salvage import repaired

T = TypeVar("T")
Count = Annotated[
    int, msgspec.Meta(ge=0, le=1 << 53)
]  # what no counter exceeds; else the field is damaged
Stamp = str | int | float | None  # for siphon.times.millis
_ANY = msgspec.json.Decoder()
_RAW = msgspec.json.Decoder(msgspec.Raw)
_PATH = re.compile(r" - at `\$\.?([^`]*)`")
_HEAD = 1 << 18  # bytes of a loose file that are looked at
_MENDS = 20  # fields of one record dropped at most


def entries(log: Log, decoder: msgspec.json.Decoder[T]) -> Iterator[tuple[Line, T]]:
    """The log's lines as `Log.objects` tells them; fields of a wrong type are dropped, as by `typed`."""
    for line, value in log.either(decoder.decode, _RAW.decode):
        if not isinstance(value, msgspec.Raw):
            yield line, value
        elif (entry := typed(log, value, decoder, line)) is not None:
            yield line, entry


def typed(log: Log, raw: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], line: Line) -> T | None:
    """The value; fields of a wrong type are dropped, with a problem. None: unreadable, a problem too."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _rescued(log, bytes(raw), decoder, line, error)


def _rescued(
    log: Log, raw: bytes, decoder: msgspec.json.Decoder[T], line: Line, error: Exception
) -> T | None:
    try:
        value = _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as worse:
        text, repairs = repaired(raw)
        if not repairs:
            log.problem(f"{log.name}: unreadable: {worse}", line.number, line.offset)
            return None
        log.problem(f"{', '.join(repairs)}: replaced", line.number, line.offset)
        return typed(log, text.encode(), decoder, line)
    return _mended(log, value, decoder, line, error)


def _mended(
    log: Log, value: Any, decoder: msgspec.json.Decoder[T], line: Line, error: Exception
) -> T | None:
    for _ in range(_MENDS):
        log.problem(f"{error}: dropped", line.number, line.offset)
        if not _drop(value, str(error)):
            return None
        try:
            return decoder.decode(msgspec.json.encode(value))
        except msgspec.ValidationError as again:
            error = again
    return None


def document(log: Log, decoder: msgspec.json.Decoder[T]) -> tuple[bytes, T] | None:
    """The log as one JSON document, with the bytes it was read from; None, with a problem."""
    data = log.data()
    text = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0 \t\r\n")
    if not text.strip():
        log.problem("empty file", 1, 0)
        return None
    value = typed(log, text, decoder, Line(1, 0, b""))
    return None if value is None else (data, value)


def places(data: bytes, parts: Iterable[msgspec.Raw]) -> Iterator[Line]:
    """Where in a document each part lies; parts come in the document's order."""
    at = 0
    for number, part in enumerate(parts, 1):
        raw = bytes(part)
        found = found_at(data, raw, at)
        at = found if found >= 0 else at  # a mended document is written anew: near enough
        yield Line(number, at, raw)
        at += len(raw) if found >= 0 else 0


def found_at(data: bytes, part: bytes, at: int) -> int:
    """As `data.find`, in no time where the next value that begins like the part is the part."""
    start = data.find(part[:1], at)
    return start if start >= 0 and data.startswith(part, start) else data.find(part, at)


def _drop(value: Any, error: str) -> bool:
    """Delete the field that the error names; of a list's item the whole list. False: it names none."""
    found = _PATH.search(error)
    keys = found[1].partition("[")[0].strip(".").split(".") if found else [""]
    if keys == [""]:
        return False
    for key in keys[:-1]:
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(value, dict) and value.pop(keys[-1], None) is not None


def head(log: Log, count: int = 5) -> list[dict[str, Any]]:
    """The first objects of a file of unknown kind: of its first lines, or the one that it is."""
    with log.open() as file:
        data = file.read(_HEAD)
    found = [_object(row) for row in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:count]]
    objects = [value for value in found if value is not None]
    if objects or not data.lstrip().startswith(b"{"):
        return objects
    whole = _object(log.data())
    return [] if whole is None else [whole]


def _object(data: bytes) -> dict[str, Any] | None:
    """The object, or the first of several glued together."""
    text = data.strip(b"\0 \t\r\n").decode(errors="replace")
    try:
        value = json.JSONDecoder(strict=False).raw_decode(text)[0] if text.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

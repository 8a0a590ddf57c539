"""A task's files: JSON arrays read element by element, and what lies beside them."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._decode import found_at
from siphon.sources._loose import items, mapping, stamp, text

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_GAP = re.compile(r"[ \t\r\n,\0]+")
_LONE = re.compile("[\ud800-\udfff]")
_ANY = msgspec.json.Decoder()


class Element(NamedTuple):
    """One object of a JSON array, and where in the file it lies."""

    value: dict[str, Any]
    offset: int
    length: int


def elements(log: Log) -> list[Element]:
    """The objects of the array that a file is; of a half-written one those that are whole."""
    data = log.data()
    if not data.strip(b"\0 \t\r\n"):
        log.problem(f"{log.name}: empty file", 1, 0)
        return []
    try:
        found = list(_placed(data, _ARRAY.decode(data)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = list(_salvaged(log, data, str(error)))
    for value, offset, _ in found:
        if not isinstance(value, dict):
            log.problem(f"{log.name}: an element that is no object", offset=offset)
    return [element for element in found if isinstance(element.value, dict)]


def _placed(data: bytes, raws: list[msgspec.Raw]) -> Iterator[Element]:
    at = 0
    for raw in raws:
        part = bytes(raw)
        at = found_at(data, part, at)
        yield Element(_ANY.decode(part), at, len(part))
        at += len(part)


def _salvaged(log: Log, data: bytes, error: str) -> Iterator[Element]:
    """The elements up to where the file breaks off; odd characters in them are replaced."""
    written = data.decode(errors="replace")
    decoder = json.JSONDecoder(strict=False)
    at = written.find("[") + 1
    offset = len(written[:at].encode()) if at else 0
    while at:
        gap = _GAP.match(written, at)
        at, offset = (gap.end(), offset + gap.end() - at) if gap else (at, offset)
        try:
            value, end = decoder.raw_decode(written, at)
        except (ValueError, RecursionError):
            break
        length = len(written[at:end].encode())
        yield Element(_plain(value), offset, length)
        at, offset = end, offset + length
    if written[at : at + 1] == "]":
        log.problem(f"{log.name}: {error}: replaced", 1, 0)
    else:
        log.problem(f"{log.name}: {error}: read up to here", offset=offset)


def _plain(value: Any) -> Any:
    """The value without lone surrogates, which no later step can store."""
    return json.loads(_LONE.sub("\ufffd", json.dumps(value, ensure_ascii=False)))


def document(log: Log, path: str) -> Any:
    """A JSON companion, relative to the log; None: not there or, with a problem, unreadable."""
    beside = log.near(path)
    if beside is None:
        return None
    try:
        return _ANY.decode(beside.data().strip(b"\0 \t\r\n"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.problem(f"{path}: {error}")
        return None


def array(log: Log, path: str) -> list[Element]:
    """A companion that is an array; empty if it is not there."""
    beside = log.near(path)
    return elements(beside) if beside else []


class Metadata(NamedTuple):
    """What task_metadata.json tells."""

    title: str | None
    models: tuple[tuple[int, str, str | None], ...]  # since (ms), model, provider
    version: str | None
    host: str | None  # the editor


def metadata(log: Log) -> Metadata:
    told = mapping(document(log, "task_metadata.json"))
    uses = [mapping(use) for use in items(told.get("model_usage"))]
    models = [
        (stamp(use.get("ts")) or 0, model, text(use.get("model_provider_id")))
        for use in uses
        if (model := text(use.get("model_id")))
    ]
    places = [mapping(place) for place in items(told.get("environment_history"))]
    last = places[-1] if places else {}
    return Metadata(
        title=text(told.get("title")),
        models=tuple(models),
        version=text(last.get("cline_version")),
        host=text(last.get("host_name")),
    )


def history_items(value: Any) -> list[dict[str, Any]]:
    """The items of taskHistory.json (a list) or of Roo's _index.json (its `entries`)."""
    if isinstance(value, dict):
        value = value.get("entries")
    return [item for item in map(mapping, items(value)) if text(item.get("id"))]

"""The CLI's store.db: blobs that name each other, reached from the root that the one meta row names."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import as_json, integer, items, mapping, text
from siphon.sources._sqlite import decoded, rows
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.cursor import tools
from siphon.sources.cursor.transcripts import Place, put, said

_ANY = msgspec.json.Decoder()
_DEPTH = 6  # of messages inside of messages inside of one blob
READ = frozenset(
    (
        "blob",
        *(f"chat/{role}" for role in ("user", "assistant", "tool", "system")),
        *(f"content/{kind}" for kind in ("text", "reasoning", "tool-call", "tool-result")),
    )
)


class Chat(NamedTuple):
    """The meta row, and the messages in the order of the tree."""

    meta: Mapping[str, Any]
    messages: list[dict[str, Any]]


def chat(log: Log, store: sqlite3.Connection, types: Counter[str]) -> Chat:
    """What a store holds; blobs that the root does not reach are old branches, and are counted."""
    meta = _meta(log, store)
    blobs = {
        key: data
        for key, data in rows(log, store, "select id, data from blobs")
        if isinstance(key, str) and isinstance(data, bytes)
    }
    root = text(meta.get("latestRootBlobId"))
    if root not in blobs:
        log.problem(f"no root blob {root}")
        return Chat(meta, [])
    reached: set[str] = set()
    found = {msgspec.json.encode(message): message for message in _walk(root, blobs, reached)}
    types["blob"] += len(reached)
    if blobs.keys() - reached:
        types["blob/unreached"] += len(blobs.keys() - reached)
    return Chat(meta, list(found.values()))


def _meta(log: Log, store: sqlite3.Connection) -> Mapping[str, Any]:
    """The JSON of the `meta` row, written as hex."""
    for (value,) in rows(log, store, "select value from meta order by key"):
        raw = value.encode(errors="replace") if isinstance(value, str) else value
        found = mapping(decoded(log, _plain(raw) if isinstance(raw, bytes) else raw, _ANY, "meta"))
        if found:
            return found
    log.problem("no meta row")
    return {}


def _plain(raw: bytes) -> bytes:
    try:
        return bytes.fromhex(raw.decode())
    except ValueError:  # a build that writes the JSON itself
        return raw


def _walk(root: str, blobs: Mapping[str, bytes], reached: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the messages below a blob, each blob once, in the order in which they are named."""
    stack: list[tuple[bytes, int]] = [(blobs[root], 0)]
    reached.add(root)
    while stack:
        data, depth = stack.pop()
        message = _message(data)
        if message is not None:
            yield message
            continue
        inner = []
        for value in _fields(data) if depth < _DEPTH else ():
            key = value.hex()
            if key in blobs:
                if key not in reached:
                    reached.add(key)
                    inner.append((blobs[key], 0))
            else:
                inner.append((value, depth + 1))
        stack.extend(reversed(inner))


def _message(data: bytes) -> dict[str, Any] | None:
    """The message that some bytes are: JSON with a role."""
    if not data.startswith(b"{"):
        return None
    try:
        found = _ANY.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("role"), str) else None


def _fields(data: bytes) -> list[bytes]:
    """The length-delimited fields of a protobuf message; none if the bytes are no such message."""
    found, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire, length = tag & 7, 0
        if wire == 2:
            length, at = _varint(data, at)
            found.append(data[at : at + length])
        elif wire == 0:
            _, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            return []
        at += length
    return found if at == len(data) else []


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number, and where it ends; past the data's end if it does not end."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return 0, len(data) + 1


class Reading(NamedTuple):
    rows: Transcript
    types: Counter[str]
    model: str | None
    calls: dict[str, int]  # native id → seq


def read(
    messages: list[dict[str, Any]], model: str | None, rows: Transcript, types: Counter[str]
) -> None:
    """The messages' rows: calls and results are joined by their ids."""
    reading = Reading(rows, types, model, {})
    for message in messages:
        role = str(message.get("role"))
        types[f"chat/{role}"] += 1
        content = message.get("content")
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else items(content):
            _part(reading, mapping(part), role)


def _part(reading: Reading, part: Mapping[str, Any], role: str) -> None:
    kind = str(part.get("type"))
    reading.types[f"content/{kind}"] += 1
    body = text(part.get("text"))
    model = reading.model if role == "assistant" else None
    if kind == "text" and body:
        said(reading.rows, role, body, Place(), model)
    elif kind == "reasoning" and body:
        put(reading.rows, "assistant", "thinking", body, Place(), model)
    elif kind == "tool-call":
        _call(reading, part)
    elif kind == "tool-result":
        _result(reading, part)


def _call(reading: Reading, part: Mapping[str, Any]) -> None:
    rows = reading.rows
    call = tools.called(
        rows,
        text(part.get("toolName")),
        part.get("args", part.get("input")),
        native_id=unique(rows.native_id, text(part.get("toolCallId"))),
    )
    if call.native_id:
        reading.calls[call.native_id] = call.seq


def _result(reading: Reading, part: Mapping[str, Any]) -> None:
    rows = reading.rows
    value = part.get("result", part.get("output"))
    told = mapping(value)
    output = next(
        (text(told.get(key)) for key in ("value", "output", "text") if text(told.get(key))), None
    )
    output = value if isinstance(value, str) else output or as_json(value)
    own = unique(rows.native_id, text(part.get("toolCallId")))
    call = rows.call(reading.calls.get(own or "", -1))
    if call is None:
        if output:
            put(rows, "tool", "tool_result", output, Place())
        return
    code = integer(told.get("exitCode"))
    failed = part.get("isError") is True or told.get("type") == "error-text" or code not in (None, 0)
    done = call._replace(output=output, output_bytes=size(output), exit_code=code)
    rows.put(done._replace(status="error" if failed else "ok"))

"""Documents of `opencode export`: {info, messages: [{info, parts}]}, in order."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from siphon.log import Log
from siphon.sources._decode import found_at
from siphon.sources._loose import text
from siphon.sources._sqlite import decoded
from siphon.sources.opencode.shapes import (
    MESSAGE,
    PART,
    SESSION,
    Conversation,
    Part,
    SessionInfo,
    Turn,
    children,
    key_of,
)
from siphon.sources.opencode.tree import aside, glob


class Document(msgspec.Struct):
    info: msgspec.Raw = msgspec.Raw(b"{}")
    messages: list[msgspec.Raw] = []


class Exchange(msgspec.Struct):
    info: msgspec.Raw = msgspec.Raw(b"{}")
    parts: list[msgspec.Raw] = []


_DOCUMENT = msgspec.json.Decoder(Document)
_EXCHANGE = msgspec.json.Decoder(Exchange)


def conversation(log: Log, path: str) -> Conversation | None:
    """The exported session; parts know their place if the document is the log itself."""
    file = log.at(path)
    data = file.data() if file else b""
    document = decoded(log, data, _DOCUMENT, path)
    if document is None:
        return None
    info = decoded(log, document.info, SESSION, f"{path}, info") or SessionInfo()
    session = text(info.id) or PurePosixPath(path).stem
    turns = list(_turns(log, session, document, data if path == log.path else None))
    return Conversation(session, info, turns)


def _turns(log: Log, session: str, document: Document, data: bytes | None) -> Iterator[Turn]:
    at = 0
    seen: set[str] = set()
    for n, raw in enumerate(document.messages):
        exchange = decoded(log, raw, _EXCHANGE, f"message {n}")
        info = decoded(log, exchange.info, MESSAGE, f"message {n}, info") if exchange else None
        if exchange is None or info is None:
            continue
        message = info.id = text(info.id) or f"{session}/{n}"
        at = max(found_at(data, bytes(raw), at), at) if data is not None else 0
        if message not in seen:
            seen.add(message)
            yield Turn(message, info, list(_parts(log, session, message, exchange, data, at)))


def _parts(
    log: Log, session: str, message: str, exchange: Exchange, data: bytes | None, at: int
) -> Iterator[Part]:
    seen: set[str] = set()
    for n, raw in enumerate(exchange.parts):
        info = decoded(log, raw, PART, f"message {message}, part {n}")
        if info is None:
            continue
        key = key_of(session, message, info.id, n)
        at = found_at(data, bytes(raw), at) if data is not None and at >= 0 else -1
        place = (at, len(bytes(raw))) if at >= 0 else (None, None)
        if key not in seen:
            seen.add(key)
            yield Part(key, info, *place)


def caller(log: Log, path: str, child: Conversation) -> str | None:
    """The tool call that started a session, if its parent's export lies beside it."""
    parent = text(child.info.parent)
    beside = str(PurePosixPath(path).with_name(f"{parent}.json"))
    if parent is None or "/" in parent or log.at(beside) is None:
        return None
    found = conversation(aside(log), beside)
    for turn in found.turns if found else ():
        for session, call in children(turn):
            if session == child.id:
                return call
    return None


def elders(log: Log, path: str, turn: Turn) -> Iterator[tuple[str, list[Turn]]]:
    """Yield (session, messages) of each other export that has a message of that time."""
    for other in glob(log, f"{PurePosixPath(path).parent}/*.json"):
        found = conversation(aside(log), other) if other != path else None
        if found and any(old.info.created == turn.info.created for old in found.turns):
            yield found.id, list(found.turns)

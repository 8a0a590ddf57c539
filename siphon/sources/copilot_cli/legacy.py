"""The oldest sessions (up to 0.0.34x): history-session-state/session_<uuid>_<ms>.json, one document.

`chatMessages` is what the model saw (the chat-completions shape), `timeline` what the person saw. Only
the timeline has times: a call's are found by its id, a text's by the text.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Message, Record, Session, ToolCall
from siphon.sources._decode import Stamp, typed
from siphon.sources._tally import tallies
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.copilot_cli import tools
from siphon.sources.copilot_cli.skips import SKIPS
from siphon.times import millis


class Document(msgspec.Struct, rename="camel"):
    session_id: str | None = None
    start_time: Stamp = None
    chat_messages: list[msgspec.Raw] | None = None
    timeline: list[msgspec.Raw] | None = None


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    id: str | None = None
    function: Function | None = None


class Chat(msgspec.Struct):
    """One message of the model's history."""

    role: str | None = None
    content: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None


class Item(msgspec.Struct, rename="camel"):
    """One line of the user interface."""

    type: str | None = None
    timestamp: Stamp = None
    text: str | None = None
    call_id: str | None = None
    result: Any = None


_DOCUMENT = msgspec.json.Decoder(Document, strict=False)
_CHAT = msgspec.json.Decoder(Chat, strict=False)
_ITEM = msgspec.json.Decoder(Item, strict=False)
_READ = frozenset({"chat/user", "chat/assistant", "chat/tool", "chat/system"})


def parse(log: Log, native_id: str) -> Iterator[Record]:
    """All records of a legacy document."""
    whole = Line(1, 0, b"")
    document = typed(log, log.data(), _DOCUMENT, whole)
    if document is None:
        return
    lines = Transcript(document.session_id or native_id)
    items = [item for raw in document.timeline or () if (item := typed(log, raw, _ITEM, whole))]
    types = Counter(f"timeline/{item.type}" for item in items)
    calls: dict[str, int] = {}
    for raw in document.chat_messages or ():
        if (chat := typed(log, raw, _CHAT, whole)) is not None:
            types[f"chat/{chat.role}"] += 1
            _read(lines, calls, chat, items)
    for item in items:
        lines.saw(millis(item.timestamp))
    started = millis(document.start_time)
    lines.saw(started)
    yield Session(
        lines.native_id,
        title=lines.first_prompt(),
        started_at=started or lines.started_at,
        ended_at=lines.ended_at,
    )
    yield from lines.records()
    shown = {
        name: "the same as its chat message, as shown" for name in types if name.startswith("timeline/")
    }
    yield from tallies(types, _READ, {**SKIPS, **shown})


def _read(lines: Transcript, calls: dict[str, int], chat: Chat, items: list[Item]) -> None:
    if chat.role == "tool":
        _result(lines, calls, chat, items)
        return
    text, seq = (chat.content or "").strip(), None
    if text and chat.role in ("user", "assistant", "system"):
        ts = next(
            (millis(item.timestamp) for item in items if item.text and item.text.strip() == text), None
        )
        seq = lines.seq()
        kind, role = _ROLES[chat.role]
        lines.put(Message(lines.native_id, seq, role, kind, text, ts=ts))
    for call in chat.tool_calls or ():
        _call(lines, calls, call, seq, items)


_ROLES: dict[str, Any] = {
    "user": ("prompt", "user"),
    "assistant": ("reply", "assistant"),
    "system": ("meta", "system"),
}


def _call(
    lines: Transcript, calls: dict[str, int], call: Call, seq: int | None, items: list[Item]
) -> None:
    name = call.function.name if call.function else None
    if name is None:
        return
    text = call.function.arguments if call.function else None
    args = _arguments(text)
    times = _times(items, call.id)
    row = ToolCall(
        lines.native_id,
        lines.seq(),
        name,
        tools.kind(name, None, args),
        native_id=unique(lines.native_id, call.id),
        message_seq=seq,
        summary=tools.summary(name, args, None),
        input=msgspec.json.encode(args).decode(),
        ts=times[0] if times else None,
    )
    lines.put(row)
    if call.id:
        calls[call.id] = row.seq
    lines.touched(row.seq, tools.touches(row, args, None))


def _arguments(text: str | None) -> Any:
    try:
        return msgspec.json.decode(text or "null")
    except (msgspec.DecodeError, RecursionError):
        return text


def _times(items: list[Item], call_id: str | None) -> list[int]:
    found = [millis(item.timestamp) for item in items if call_id and item.call_id == call_id]
    return sorted(ts for ts in found if ts is not None)


def _result(lines: Transcript, calls: dict[str, int], chat: Chat, items: list[Item]) -> None:
    row = lines.call(calls.get(chat.tool_call_id or "", -1))
    if row is None:
        lines.put(Message(lines.native_id, lines.seq(), "tool", "tool_result", chat.content))
        return
    times = _times(items, chat.tool_call_id)
    kinds = [item.result.get("type") for item in items if _answers(item, chat.tool_call_id)]
    lines.put(
        row._replace(
            output=chat.content,
            output_bytes=size(chat.content),
            status="rejected"
            if "rejected" in kinds or "denied" in kinds
            else "error"
            if "failure" in kinds
            else "ok",
            exit_code=tools.exit_code(chat.content),
            duration_ms=times[-1] - times[0] if len(times) > 1 else None,
        )
    )


def _answers(item: Item, call_id: str | None) -> bool:
    return item.call_id == call_id and isinstance(item.result, dict)

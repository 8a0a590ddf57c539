"""A message's parts as rows; a call's result is a part of a later message."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Action, FileTouch, Message, MessageKind, Role, Status, ToolCall, ToolKind
from siphon.sources._diff import of_texts
from siphon.sources._loose import (
    as_json,
    image,
    integer,
    items,
    lines_of,
    mapping,
    one_line,
    stamp,
    text,
)
from siphon.sources._sqlite import decoded
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript

_ANY = msgspec.json.Decoder()
_ROLES = ("user", "assistant", "tool", "system")
_TYPES = ("text", "reasoning", "tool_call", "tool_result", "finish", "image_url", "binary")
READ = frozenset(("session", *(f"message/{r}" for r in _ROLES), *(f"part/{t}" for t in _TYPES)))
_SAID: Mapping[str, tuple[Role, MessageKind]] = {
    "user": ("user", "prompt"),
    "assistant": ("assistant", "reply"),
    "system": ("system", "meta"),
    "tool": ("tool", "tool_result"),
}
_KINDS: Mapping[str, ToolKind] = {
    "bash": "shell",
    "job_output": "shell",
    "job_kill": "shell",
    "view": "read",
    "edit": "edit",
    "multiedit": "edit",
    "patch": "edit",
    "write": "write",
    "glob": "search",
    "grep": "search",
    "ls": "search",
    "diagnostics": "search",
    "lsp_diagnostics": "search",
    "lsp_references": "search",
    "sourcegraph": "web",
    "fetch": "web",
    "web_fetch": "web",
    "web_search": "web",
    "download": "web",
    "agent": "agent",
    "agentic_fetch": "agent",
    "todos": "plan",
}
_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}
_SUMMARIES = ("command", "file_path", "pattern", "query", "path", "url", "prompt", "description")
_ENDS: Mapping[str, MessageKind] = {
    "error": "error",
    "canceled": "notice",
    "permission_denied": "notice",
}


class Reading(NamedTuple):
    """What is read of a session so far."""

    rows: Transcript
    types: Counter[str]
    calls: dict[str, int]  # a call's id → its seq


def read(log: Log, session: str, messages: list[dict[str, Any]], types: Counter[str]) -> Reading:
    """The rows of a session's messages."""
    reading = Reading(Transcript(session), types, {})
    for message in messages:
        types[f"message/{message.get('role')}"] += 1
        place = f"message {message.get('id')}"
        parts = [mapping(part) for part in items(decoded(log, message.get("parts"), _ANY, place))]
        held = [_image(part) for part in parts if part.get("type") in ("image_url", "binary")]
        for n, part in enumerate(parts):
            types[f"part/{part.get('type')}"] += 1
            _part(reading, message, n, part, as_json(held) if held else None)
    return reading


def _image(part: Mapping[str, Any]) -> dict[str, Any]:
    data = mapping(part.get("data"))
    return image(data.get("MIMEType") or data.get("mime_type"), data.get("Data") or data.get("data"))


def _part(
    reading: Reading, message: Mapping[str, Any], n: int, part: Mapping[str, Any], held: str | None
) -> None:
    kind, data = part.get("type"), mapping(part.get("data"))
    body, thought = text(data.get("text")), text(data.get("thinking"))
    role, said = _SAID.get(str(message.get("role")), ("system", "meta"))
    if kind == "text" and body:
        if integer(message.get("is_summary_message")):
            role, said = "system", "summary"
        _put(reading, message, n, role, said, body, held if role == "user" else None)
    elif kind == "reasoning" and thought:
        _put(reading, message, n, "assistant", "thinking", thought)
    elif kind == "tool_call":
        _call(reading, message, data)
    elif kind == "tool_result":
        _result(reading, message, n, data)
    elif kind == "finish" and data.get("reason") in _ENDS:
        why = text(data.get("message")) or text(data.get("details")) or str(data["reason"])
        _put(reading, message, n, "system", _ENDS[data["reason"]], why)


def _put(
    reading: Reading,
    message: Mapping[str, Any],
    n: int,
    role: Role,
    kind: MessageKind,
    body: str,
    attachments: str | None = None,
) -> None:
    rows = reading.rows
    rows.put(
        Message(
            session=rows.native_id,
            seq=rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=stamp(message.get("created_at")),
            native_id=f"{message.get('id')}/{n}",
            model=text(message.get("model")) if role == "assistant" else None,
            attachments=attachments,
        )
    )


def _call(reading: Reading, message: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    rows = reading.rows
    own, name = text(data.get("id")), text(data.get("name")) or "unknown"
    before = rows.rows.get(rows.last)
    told = _told(data.get("input"))
    rows.put(
        ToolCall(
            session=rows.native_id,
            seq=rows.seq(),
            name=name,
            kind="mcp" if name.startswith("mcp_") else _KINDS.get(name, "other"),
            native_id=unique(rows.native_id, own),
            message_seq=_spoken(before),
            summary=next((line for key in _SUMMARIES if (line := one_line(told.get(key)))), None),
            input=as_json(told) if told else None,
            ts=stamp(message.get("created_at")),
        )
    )
    if own:
        reading.calls[own] = rows.last


def _spoken(row: Message | ToolCall | None) -> int | None:
    if isinstance(row, ToolCall):
        return row.message_seq
    return row.seq if row is not None and row.role == "assistant" else None


def _told(value: Any) -> Mapping[str, Any]:
    """The arguments, which are JSON in a text."""
    if not isinstance(value, str):
        return mapping(value)
    try:
        return mapping(_ANY.decode(value.encode(errors="replace")))
    except (msgspec.DecodeError, RecursionError):
        return {"input": value} if value else {}


def _result(reading: Reading, message: Mapping[str, Any], n: int, data: Mapping[str, Any]) -> None:
    rows = reading.rows
    output = text(data.get("content"))
    call = rows.call(reading.calls.get(str(data.get("tool_call_id")), -1))
    if call is None:
        if output:
            _put(reading, message, n, "tool", "tool_result", output)
        return
    about = _told(data.get("metadata"))
    code = integer(about.get("exit_code"))
    status = _status(data, output, code)
    added, removed = _lines(call, about) if status == "ok" else (None, None)
    start, end = stamp(about.get("start_time")), stamp(about.get("end_time"))
    done = call._replace(
        output=output,
        output_bytes=size(output),
        status=status,
        exit_code=code,
        duration_ms=end - start if start is not None and end is not None and end >= start else None,
        lines_added=added,
        lines_removed=removed,
    )
    rows.put(done)
    rows.saw(stamp(message.get("created_at")))
    rows.touches.extend(_touches(done))


def _status(data: Mapping[str, Any], output: str | None, code: int | None) -> Status:
    if data.get("is_error") is not True and code in (None, 0):
        return "ok"
    if (output or "").lower().startswith(("permission denied", "user denied")):
        return "rejected"
    stopped = (output or "").lower().startswith(("tool execution canceled", "tool execution cancelled"))
    return "interrupted" if stopped else "error"


def _lines(call: ToolCall, about: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Lines that an edit added and removed: as its result counts them, else by its texts."""
    if call.kind not in ("edit", "write"):
        return None, None
    if integer(about.get("additions")) is not None:
        return integer(about.get("additions")), integer(about.get("removals"))
    told = _told(call.input)
    old, new, content = (told.get(key) for key in ("old_string", "new_string", "content"))
    if isinstance(old, str) and isinstance(new, str):
        return of_texts(old, new)
    return (lines_of(content), None) if isinstance(content, str) and content else (None, None)


def _touches(call: ToolCall) -> Iterator[FileTouch]:
    """The file of a call that went well."""
    action, told = _ACTIONS.get(call.kind), _told(call.input)
    path = text(told.get("file_path")) or text(told.get("path"))
    if action and path and call.status == "ok":
        yield FileTouch(call.session, call.seq, path, action, call.lines_added, call.lines_removed)

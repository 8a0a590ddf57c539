"""A message's content blocks as rows; a call's result comes in a later message, in the user's name."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from siphon.records import Message, MessageKind, Role, Status, ToolCall
from siphon.sources._loose import as_json, image, items, mapping, text
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.goose import tools

READ = frozenset(
    (
        "session",
        "message/user",
        "message/assistant",
        "usage",
        "usage/residual",
        *(
            f"content/{kind}"
            for kind in (
                "text",
                "image",
                "toolRequest",
                "frontendToolRequest",
                "toolResponse",
                "thinking",
                "reasoning",
                "systemNotification",
                "summarizationRequested",
                "contextLengthExceeded",
            )
        ),
    )
)
_INFO = re.compile(r"<info-msg>.*?</info-msg>\s*", re.DOTALL)
_DECLINED = re.compile(r"\s*The user (?:has )?declined")
CALLS = ("toolRequest", "frontendToolRequest")
_NOTICES = ("systemNotification", "summarizationRequested", "contextLengthExceeded")


class Written(NamedTuple):
    """A message as stored."""

    key: str | None  # the same in every copy of it; None: the log gives it no id
    role: str | None
    content: Any
    ts: int | None
    user_visible: bool = True
    agent_visible: bool = True
    offset: int | None = None
    length: int | None = None


class Reading(NamedTuple):
    rows: Transcript
    types: Counter[str]
    calls: dict[str, tuple[int, Any]]  # a call's id → its seq, its arguments
    compacted: bool  # the session has messages that only the user still sees


def read(session: str, messages: list[Written], types: Counter[str]) -> Transcript:
    """The rows of a session's messages."""
    compacted = any(not message.agent_visible for message in messages)
    reading = Reading(Transcript(session), types, {}, compacted)
    for message in messages:
        types[f"message/{message.role}"] += 1
        content = message.content
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for n, block in enumerate(blocks):
            _block(reading, message, n, mapping(block))
    return reading.rows


def _block(reading: Reading, message: Written, n: int, block: Mapping[str, Any]) -> None:
    kind = str(block.get("type"))
    reading.types[f"content/{kind}"] += 1
    body = text(block.get("text"))
    if kind == "text" and body:
        _text(reading, message, n, body)
    elif kind == "image":
        held = as_json([image(block.get("mimeType"), block.get("data"))])
        _put(reading, message, n, _role(message), _kind(reading, message), None, held)
    elif kind in ("thinking", "reasoning"):
        thought = text(block.get("thinking")) or body
        if thought:
            _put(reading, message, n, "assistant", "thinking", thought)
    elif kind in CALLS:
        _call(reading, message, n, block)
    elif kind == "toolResponse":
        _result(reading, message, n, block)
    elif kind in _NOTICES:
        _put(reading, message, n, "system", "notice", text(block.get("msg")) or body)


def _role(message: Written) -> Role:
    return "assistant" if message.role == "assistant" else "user"


def _kind(reading: Reading, message: Written) -> MessageKind:
    """What only the model sees is injected; once a session was compacted, it is the summary."""
    if message.user_visible:
        return "reply" if message.role == "assistant" else "prompt"
    return "summary" if message.agent_visible and reading.compacted else "meta"


def _text(reading: Reading, message: Written, n: int, body: str) -> None:
    """A text; what Goose puts before a prompt is not the person's."""
    kind = _kind(reading, message)
    rest = _INFO.sub("", body) if kind == "prompt" else body
    if rest != body:
        info = "".join(_INFO.findall(body)).strip()
        _put(reading, message, n, "user", "meta", info, suffix="/info")
    if rest.strip():
        _put(reading, message, n, _role(message), kind, rest)


def _put(
    reading: Reading,
    message: Written,
    n: int,
    role: Role,
    kind: MessageKind,
    body: str | None,
    attachments: str | None = None,
    suffix: str = "",
) -> None:
    rows = reading.rows
    rows.put(
        Message(
            session=rows.native_id,
            seq=rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=message.ts,
            native_id=f"{message.key}/{n}{suffix}" if message.key else None,
            attachments=attachments,
            offset=message.offset,
            length=message.length,
        )
    )


def _call(reading: Reading, message: Written, n: int, block: Mapping[str, Any]) -> None:
    rows = reading.rows
    asked = mapping(block.get("toolCall"))
    value = mapping(asked.get("value"))
    name, given = text(value.get("name")) or "invalid", value.get("arguments")
    told = mapping(given)
    kind = tools.kind_of(name, told)
    before = rows.rows.get(rows.last)
    own = text(block.get("id"))
    seq = rows.seq()
    error = as_json(asked.get("error")) if asked.get("status") == "error" else None
    rows.put(
        ToolCall(
            session=rows.native_id,
            seq=seq,
            name=name,
            kind=kind,
            native_id=f"{message.key}/{n}" if message.key else unique(rows.native_id, own),
            message_seq=_spoken(before),
            summary=tools.summary(name, told),
            input=as_json(given),
            output=text(asked.get("error")) or error,
            output_bytes=size(text(asked.get("error")) or error),
            status="error" if error else "pending",
            ts=message.ts,
            offset=message.offset,
            length=message.length,
        )
    )
    if own:
        reading.calls[own] = (seq, given)


def _spoken(row: Message | ToolCall | None) -> int | None:
    if isinstance(row, ToolCall):
        return row.message_seq
    return row.seq if row is not None and row.role == "assistant" else None


def _result(reading: Reading, message: Written, n: int, block: Mapping[str, Any]) -> None:
    """A call's result, wherever the call is."""
    rows = reading.rows
    seq, given = reading.calls.get(str(block.get("id")), (-1, None))
    call = rows.call(seq)
    result = mapping(block.get("toolResult"))
    output = _output(result)
    if call is None:
        if output:
            _put(reading, message, n, "tool", "tool_result", output)
        return
    status = _status(result, output)
    lines = tools.changed(call.kind, mapping(given)) if status == "ok" else (None, None)
    done = call._replace(
        output=output,
        output_bytes=size(output),
        status=status,
        lines_added=lines[0],
        lines_removed=lines[1],
        result_offset=message.offset,
        result_length=message.length,
    )
    rows.put(done)
    rows.saw(message.ts)
    rows.touches.extend(tools.touches(done, given))


def _output(result: Mapping[str, Any]) -> str | None:
    if result.get("status") == "error":
        return text(result.get("error")) or as_json(result.get("error"))
    value = result.get("value")
    content = items(value) or items(mapping(value).get("content"))
    texts = [text(mapping(part).get("text")) for part in content]
    told = "\n".join(part for part in texts if part)
    return told or (
        value if isinstance(value, str) else as_json(mapping(value).get("structuredContent"))
    )


def _status(result: Mapping[str, Any], output: str | None) -> Status:
    if _DECLINED.match(output or ""):
        return "rejected"
    failed = result.get("status") == "error" or mapping(result.get("value")).get("isError") is True
    return "error" if failed else "ok"

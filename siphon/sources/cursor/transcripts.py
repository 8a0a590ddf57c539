"""agent-transcripts: what went to and came from the model, without times, ids, models, tokens."""

import re
from collections import Counter
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Message, MessageKind, Role
from siphon.sources._loose import as_json, items, mapping, stamp, text
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.cursor import tools

_CALLS = ("tool_use", "tool_call", "tool-call")
_RESULTS = ("tool_result", "tool-result")
_TEXTS = ("text", "custom_block")
_ROLES = ("user", "assistant", "system", "tool")
READ = frozenset(
    (
        *(f"line/{kind}" for kind in (*_ROLES, "turn_ended")),
        *(f"block/{kind}" for kind in (*_CALLS, *_RESULTS, *_TEXTS, "thinking", "reasoning")),
    )
)
_QUERY = re.compile(r"<user_query>\n?(.*?)\n?</user_query>", re.DOTALL)
_TIME = re.compile(r"<timestamp>(.*?)</timestamp>", re.DOTALL)
_TAGGED = re.compile(r"\s*<([a-z][a-z_-]*)>.*</[a-z][a-z_-]*>\s*\Z", re.DOTALL)


class Line(msgspec.Struct):
    role: Any = None
    type: Any = None
    message: Any = None
    status: Any = None
    error: Any = None
    model: Any = None


class Place(NamedTuple):
    """Where a record lies in the log, if the transcript is the log."""

    offset: int | None = None
    length: int | None = None


class Reading(NamedTuple):
    rows: Transcript
    types: Counter[str]
    waiting: list[int]  # calls without a result yet: results come in their order
    first: int = 0  # seq at which the line begins


_LINE = msgspec.json.Decoder(Line)


def read(log: Log, rows: Transcript, types: Counter[str], owned: bool) -> None:
    """All of a transcript; `owned`: the log is this very file."""
    waiting: list[int] = []
    if log.name.endswith(".txt"):
        _old(log, Reading(rows, types, waiting), owned)
        return
    for found, line in log.objects(_LINE):
        place = Place(found.offset, len(found.data)) if owned else Place()
        reading = Reading(rows, types, waiting, rows.last + 1)
        role = text(line.role)
        types[f"line/{role or text(line.type)}"] += 1
        if role in _ROLES:
            content = mapping(line.message).get("content")
            for block in [content] if isinstance(content, str) else items(content):
                _block(reading, role, block, text(line.model), place)
        elif line.type == "turn_ended" and line.status not in ("success", "completed", None):
            said = " ".join(filter(None, (text(line.status), text(line.error))))
            put(rows, "system", "notice", said, place)


def _block(reading: Reading, role: str, block: Any, model: str | None, place: Place) -> None:
    if isinstance(block, str):
        block = {"type": "text", "text": block}
    block = mapping(block)
    kind = str(block.get("type"))
    body = text(block.get("text")) or text(block.get("thinking"))
    if body == "[REDACTED]":
        kind = "redacted"
    reading.types[f"block/{kind}"] += 1
    if kind in _CALLS:
        _call(reading, block, place)
    elif kind in _RESULTS:
        _result(reading, block, place)
    elif kind in ("thinking", "reasoning") and body:
        put(reading.rows, "assistant", "thinking", body, place, model)
    elif kind in _TEXTS and body:
        if role == "user":
            reading.waiting.clear()  # what was not answered by now never is
        said(reading.rows, role, body, place, model)


def said(rows: Transcript, role: str, body: str, place: Place, model: str | None = None) -> None:
    """A text: of a user's only the query is the person's, what stands before it is Cursor's."""
    if role != "user":
        put(rows, "assistant" if role == "assistant" else "system", _kind(role), body, place, model)
        return
    told = _TIME.search(body)
    ts = stamp(told[1].strip()) if told else None
    queries = _QUERY.findall(body)
    around = _QUERY.sub("", body).strip() if queries else body
    if queries and around:
        put(rows, "user", "meta", around, place, ts=ts)
    if queries or not _TAGGED.match(body):
        put(rows, "user", "prompt", "\n".join(queries) or body, place, ts=ts)
    else:
        put(rows, "user", "meta", body, place, ts=ts)


def _kind(role: str) -> MessageKind:
    return "reply" if role == "assistant" else "meta"


def put(
    rows: Transcript,
    role: Role,
    kind: MessageKind,
    body: str,
    place: Place,
    model: str | None = None,
    ts: int | None = None,
) -> None:
    """Add a message."""
    rows.put(
        Message(
            session=rows.native_id,
            seq=rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=ts,
            model=model,
            offset=place.offset,
            length=place.length,
        )
    )


def _call(reading: Reading, block: dict[str, Any], place: Place) -> None:
    rows = reading.rows
    own = text(block.get("id")) or text(block.get("toolCallId"))
    call = tools.called(
        rows,
        text(block.get("name")) or text(block.get("toolName")),
        block.get("input", block.get("args")),
        native_id=unique(rows.native_id, own),
    )
    said_here = call.message_seq is not None and call.message_seq >= reading.first
    after = call.message_seq if said_here else None
    rows.put(call._replace(message_seq=after, offset=place.offset, length=place.length))
    reading.waiting.append(call.seq)


def _result(reading: Reading, block: dict[str, Any], place: Place) -> None:
    """The result of the first call that waits for one."""
    rows = reading.rows
    output = _output(block.get("content", block.get("result", block.get("output"))))
    call = rows.call(reading.waiting.pop(0)) if reading.waiting else None
    if call is None:
        if output:
            put(rows, "tool", "tool_result", output, place)
        return
    failed = block.get("is_error") is True or block.get("isError") is True
    rows.put(
        call._replace(
            output=output,
            output_bytes=size(output),
            status="error" if failed else "ok",
            result_offset=place.offset,
            result_length=place.length,
        )
    )


def _output(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    texts = [text(mapping(part).get("text")) for part in items(content)]
    return "\n".join(part for part in texts if part) or as_json(content)


_HEAD = re.compile(rb"^(?:(user|assistant):|\[(Thinking|Tool call|Tool result)\])[ \t]*", re.MULTILINE)


def _old(log: Log, reading: Reading, owned: bool) -> None:
    """The first builds' .txt: blocks headed `user:` and `assistant:`, with bracketed marks inside."""
    data = log.data()
    heads = list(_HEAD.finditer(data))
    ends = [*(head.start() for head in heads[1:]), len(data)] if heads else []
    role = ""
    for head, after in zip(heads, ends, strict=True):
        role = head[1].decode() if head[1] else role
        body = data[head.end() : after].decode(errors="replace").replace("\r\n", "\n").strip("\n")
        place = Place(head.start(), after - head.start()) if owned else Place()
        if role and body.strip():
            _old_block(reading, role, (head[2] or b"text").decode(), body, place)


def _old_block(reading: Reading, role: str, mark: str, body: str, place: Place) -> None:
    if mark == "text":
        reading.types[f"line/{role}"] += 1
        block: dict[str, Any] = {"type": "text", "text": body.strip()}
    elif mark == "Thinking":
        block = {"type": "thinking", "thinking": body.strip()}
    elif mark == "Tool call":
        name, _, rest = body.partition("\n")
        pairs = (line.strip().partition(":") for line in rest.split("\n") if line[:1] in (" ", "\t"))
        given = {key: value.strip() for key, _, value in pairs if key}
        block = {"type": "tool_use", "name": name.strip(), "input": given}
    else:
        block = {"type": "tool_result", "content": body.partition("\n")[2]}
    _block(reading, role, block, None, place)

"""A thread's document as rows: messages are externally tagged, older ones have roles and segments."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.records import Message, MessageKind, Request, Role, ToolCall
from siphon.sources._loose import as_json, count, image, integer, items, mapping, stamp, text
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.zed import tools


class Thread(msgspec.Struct):
    """A thread's document; fields take any type."""

    title: Any = None
    summary: Any = None
    messages: Any = None
    updated_at: Any = None
    initial_project_snapshot: Any = None
    cumulative_token_usage: Any = None
    request_token_usage: Any = None
    model: Any = None
    subagent_context: Any = None


READ = frozenset(
    (
        "thread",
        "text thread",
        *(f"message/{kind}" for kind in ("User", "Agent", "Compaction", "user", "assistant", "system")),
        *(f"content/{kind}" for kind in ("Text", "Mention", "Image", "Thinking", "ToolUse")),
        *(f"segment/{kind}" for kind in ("text", "thinking")),
    )
)
_EXIT = re.compile(r"(?:exit(?:ed with)?|failed with) (?:exit )?code (-?\d+)")
_DENIED = re.compile(r"(?:Permission to run tool|.*denied by (?:the )?user)", re.IGNORECASE)
_STOPPED = re.compile(r"(?:Tool canceled|Canceled) by user", re.IGNORECASE)


class Reading(NamedTuple):
    rows: Transcript
    types: Counter[str]
    model: str | None
    calls: dict[str, int]  # native id → seq


def read(thread: str, document: Thread, types: Counter[str]) -> Transcript:
    """The rows of a thread. Its messages are undated."""
    model = text(mapping(document.model).get("model"))
    reading = Reading(Transcript(thread), types, model, {})
    seen: set[str] = set()
    for message in items(document.messages):
        kind, body = _tagged(message)
        if kind is None:
            _old(reading, mapping(message))
            continue
        types[f"message/{kind}"] += 1
        if kind == "User":
            _user(reading, mapping(body), seen)
        elif kind == "Agent":
            _agent(reading, mapping(body))
        elif kind == "Compaction":
            _put(reading, "system", "summary", _words(body), None)
    for billed in _requests(reading, document):
        reading.rows.bill(billed)
    return reading.rows


def _tagged(value: Any) -> tuple[str | None, Any]:
    """(tag, content) of an externally tagged value; no tag: it is none."""
    if isinstance(value, str):
        return value, None
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.items()))
    return None, value


def _words(value: Any) -> str | None:
    """The text in a value of unknown shape."""
    if isinstance(value, str):
        return value or None
    told = mapping(value)
    return next(
        (words for key in ("summary", "text", "content") if (words := text(told.get(key)))), None
    )


def _put(
    reading: Reading,
    role: Role,
    kind: MessageKind,
    body: str | None,
    name: str | None,
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
            native_id=name,
            model=reading.model if role == "assistant" else None,
            attachments=attachments,
        )
    )


def _user(reading: Reading, message: Mapping[str, Any], seen: set[str]) -> None:
    """A person's message: its texts are one prompt, what it mentions is attached."""
    said, held = [], []
    for kind, body in map(_tagged, items(message.get("content"))):
        reading.types[f"content/{kind}"] += 1
        if kind == "Text":
            said.append(text(body) or "")
        elif kind == "Mention":
            name = _uri(body)
            held.append({"type": "mention", "media_type": None, "bytes": None, "name": name})
            said.append("@" + re.split(r"[/\\]", name or "")[-1])
        elif kind == "Image":
            held.append(image("image/png", mapping(body).get("source")))
    own = unique(reading.rows.native_id, text(message.get("id")))
    own = None if own in seen else own
    seen.add(own or "")
    if any(said) or held:
        _put(reading, "user", "prompt", "".join(said) or None, own, as_json(held) if held else None)


def _uri(mention: Any) -> str | None:
    """What a mention names: a path, an address, or its own name."""
    uri = mapping(mention).get("uri")
    _, told = _tagged(uri)
    found = mapping(told)
    keys = ("abs_path", "path", "url", "name", "id")
    return text(uri) or next((name for key in keys if (name := text(found.get(key)))), None)


def _agent(reading: Reading, message: Mapping[str, Any]) -> None:
    results = mapping(message.get("tool_results"))
    for kind, body in map(_tagged, items(message.get("content"))):
        reading.types[f"content/{kind}"] += 1
        told = mapping(body)
        if kind == "Text" and text(body):
            _put(reading, "assistant", "reply", body, None)
        elif kind == "Thinking" and text(told.get("text")):
            _put(reading, "assistant", "thinking", told["text"], None)
        elif kind == "ToolUse":
            _call(reading, told, mapping(results.get(str(told.get("id")))))


def _call(reading: Reading, use: Mapping[str, Any], result: Mapping[str, Any]) -> ToolCall:
    rows = reading.rows
    before = rows.rows.get(rows.last)
    name, given = text(use.get("name")) or "unknown", use.get("input")
    call = ToolCall(
        session=rows.native_id,
        seq=rows.seq(),
        name=name,
        kind=tools.kind_of(name),
        native_id=unique(rows.native_id, text(use.get("id"))),
        message_seq=_spoken(before),
        summary=tools.summary(mapping(given)),
        input=as_json(given) or as_json(text(use.get("raw_input"))),
        status="interrupted" if use.get("is_input_complete") is False else "pending",
    )
    rows.put(call)
    if call.native_id:
        reading.calls[call.native_id] = call.seq
    return _answered(reading, call, given, result) if result else call


def _spoken(row: Message | ToolCall | None) -> int | None:
    if isinstance(row, ToolCall):
        return row.message_seq
    return row.seq if row is not None and row.role == "assistant" else None


def _answered(reading: Reading, call: ToolCall, given: Any, result: Mapping[str, Any]) -> ToolCall:
    """The call with its result."""
    output = _output(result)
    code = integer(found[1]) if call.kind == "shell" and (found := _EXIT.search(output or "")) else None
    failed = result.get("is_error") is True or code not in (None, 0)
    done = call._replace(
        output=output,
        output_bytes=size(output),
        exit_code=code,
        status="error" if failed else "ok",
    )
    if failed and _STOPPED.match(output or ""):
        done = done._replace(status="interrupted")
    elif failed and _DENIED.match(output or ""):
        done = done._replace(status="rejected")
    lines = tools.changed(done, mapping(result.get("output"))) if done.status == "ok" else (None, None)
    done = done._replace(lines_added=lines[0], lines_removed=lines[1])
    reading.rows.put(done)
    reading.rows.touches.extend(tools.touches(done, mapping(given)))
    return done


def _output(result: Mapping[str, Any]) -> str | None:
    """A result's text; what is no text as JSON."""
    content = result.get("content")
    parts = [_tagged(part) for part in (content if isinstance(content, list) else [content])]
    told = [body if isinstance(body, str) else text(kind) for kind, body in parts if kind != "Image"]
    words = "\n".join(each for each in told if each)
    return words or as_json(content)


def _old(reading: Reading, message: Mapping[str, Any]) -> None:
    """A message of the first versions; results lie in the message after the calls'."""
    role = str(message.get("role"))
    reading.types[f"message/{role}"] += 1
    rows = reading.rows
    for segment in map(mapping, items(message.get("segments"))):
        kind = str(segment.get("type"))
        reading.types[f"segment/{kind}"] += 1
        body = text(segment.get("text"))
        if body and kind == "thinking":
            _put(reading, "assistant", "thinking", body, None)
        elif body and kind == "text":
            hidden = message.get("is_hidden") is True
            said: MessageKind = "meta" if hidden or role == "system" else "prompt"
            whose: Role = "system" if role == "system" else "user"
            if role == "assistant":
                said, whose = "meta" if hidden else "reply", "assistant"
            _put(reading, whose, said, body, None)
    for use in map(mapping, items(message.get("tool_uses"))):
        _call(reading, use, {})
    for result in map(mapping, items(message.get("tool_results"))):
        own = unique(rows.native_id, text(result.get("tool_use_id")))
        call = rows.call(reading.calls.get(own or "", -1))
        if call is not None:
            _answered(reading, call, tools.given(call), result)


def _requests(reading: Reading, document: Thread) -> Iterator[Request]:
    """The whole thread's usage if it is told, else the last request's of each prompt; never both."""
    rows = reading.rows
    provider = text(mapping(document.model).get("provider"))
    whole = mapping(document.cumulative_token_usage)
    parts = mapping(document.request_token_usage)
    if any(count(value) for value in whole.values()):
        name = f"{rows.native_id}/cumulative"
        billed = _request(reading, name, max(rows.last, 0), whole, provider)
        yield billed._replace(aggregate=True, ts=stamp(document.updated_at))
        return
    seqs = {row.native_id: seq for seq, row in rows.rows.items()}
    for key, usage in parts.items():
        prompt = unique(rows.native_id, key)
        if any(count(value) for value in mapping(usage).values()):
            billed = _request(reading, f"{prompt}/usage", seqs.get(prompt, 0), mapping(usage), provider)
            yield billed._replace(incomplete=True)


def _request(
    reading: Reading, name: str, seq: int, usage: Mapping[str, Any], provider: str | None
) -> Request:
    """Zed leaves out counts of zero; input is without cache."""
    return Request(
        session=reading.rows.native_id,
        native_id=name,
        seq=seq,
        model=reading.model,
        input_tokens=count(usage.get("input_tokens")) or 0,
        cache_read_tokens=count(usage.get("cache_read_input_tokens")) or 0,
        cache_write_tokens=count(usage.get("cache_creation_input_tokens")) or 0,
        output_tokens=count(usage.get("output_tokens")) or 0,
        provider=provider,
    )

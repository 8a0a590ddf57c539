"""A conversation of the IDE as rows: prompts, replies, thoughts, and tool calls with their results."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from siphon.records import Message, MessageKind, Request, Role, Status
from siphon.sources._diff import of_diff, of_texts
from siphon.sources._loose import as_json, count, integer, items, mapping, number, one_line, stamp, text
from siphon.sources._text import size, unique
from siphon.sources._transcript import Transcript
from siphon.sources._workspace import path_of
from siphon.sources.cursor import tools
from siphon.sources.cursor.store import Bubble, Composer, Store, content

READ = frozenset(
    ("composer", "bubble/user", "bubble/assistant", "bubble/tool", "bubble/thinking", "tab", "usage")
)
_ENDS: dict[str, Status] = {"completed": "ok", "error": "error", "cancelled": "interrupted"}
_TOOL, _THINKING, _COMPACTION = 15, 30, 22
_JSON = msgspec.json.Decoder()


class Reading(NamedTuple):
    """What is read of a conversation so far."""

    rows: Transcript
    types: Counter[str]
    store: Store
    model: str | None  # of the conversation


def read(
    store: Store, composer: str, info: Composer, bubbles: Sequence[Bubble], types: Counter[str]
) -> Transcript:
    """The rows of a conversation; none if no bubble says anything."""
    model = text(mapping(info.model).get("modelName"))
    reading = Reading(Transcript(composer), types, store, model)
    for bubble in bubbles:
        _bubble(reading, bubble)
    rows = reading.rows
    tools.settle(rows)
    if info.alternate is True:
        alternates = len(rows.requests) + sum(1 for _ in _billed(rows, info))
        types.update({"usage/alternate": alternates} if alternates else {})
        rows.requests.clear()
    elif rows.rows:
        for billed in _billed(rows, info):
            types["usage"] += 1
            rows.bill(billed)
    return rows


def _bubble(reading: Reading, bubble: Bubble) -> None:
    body = text(bubble.text)
    thoughts = _thoughts(bubble)
    tool = mapping(bubble.tool)
    kind = bubble.capability
    person = bubble.type in (1, "user")
    first = reading.rows.last + 1
    if person and (body or (bubble.type == 1 and _attached(bubble))):  # a chat tab ends with a draft
        reading.types["bubble/user"] += 1
        _say(reading, bubble, "user", "meta" if bubble.simulated is True else "prompt", body)
    elif kind == _COMPACTION:
        reading.types["bubble/compaction"] += 1
    elif not person and (body or thoughts or tool):
        reading.types[_type(bubble, tool, thoughts)] += 1
        if thoughts:
            _say(reading, bubble, "assistant", "thinking", thoughts)
        if body:
            _say(reading, bubble, "assistant", "reply" if kind is None else "meta", body)
        if tool:
            _call(reading, bubble, tool)
    else:
        reading.types["bubble/empty"] += 1
    _usage(reading, bubble, first)


def _type(bubble: Bubble, tool: dict[str, Any], thoughts: str | None) -> str:
    if bubble.type not in (2, "ai"):
        return f"bubble/type {bubble.type}"
    if bubble.capability not in (None, _TOOL, _THINKING) and not (tool or thoughts):
        return f"bubble/capability {bubble.capability}"
    return "bubble/tool" if tool else "bubble/thinking" if thoughts else "bubble/assistant"


def _thoughts(bubble: Bubble) -> str | None:
    """What the model thought, in one text."""
    blocks = [bubble.thinking] if bubble.thinking else items(bubble.thoughts)
    said = [text(block) or text(mapping(block).get("text")) for block in blocks]
    said = said or []
    return "\n\n".join(words for words in said if words) or None


def _say(reading: Reading, bubble: Bubble, role: Role, kind: MessageKind, body: str | None) -> None:
    """Add a message; a bubble's second one has its id with the kind."""
    rows = reading.rows
    before = rows.rows.get(rows.last)
    again = before is not None and before.native_id == bubble.key
    rows.put(
        Message(
            session=rows.native_id,
            seq=rows.seq(),
            role=role,
            kind=kind,
            text=body,
            ts=bubble.ts,
            native_id=f"{bubble.key}/{kind}" if again else bubble.key,
            model=_model(reading, bubble) if role == "assistant" else None,
            request=bubble.key if _spent(bubble) else None,
            attachments=_attached(bubble) if kind == "prompt" else None,
        )
    )


def _model(reading: Reading, bubble: Bubble) -> str | None:
    own = text(mapping(bubble.model).get("modelName")) or text(bubble.old_model)
    return own or reading.model


def _attached(bubble: Bubble) -> str | None:
    """Files, folders and images that a person put to a prompt."""
    context = mapping(bubble.context)
    files = [
        {"type": kind, "media_type": None, "bytes": None, "name": path}
        for kind, keys in (
            ("file", (context.get("fileSelections"), bubble.file_selections)),
            ("folder", (context.get("folderSelections"),)),
            ("image", (context.get("selectedImages"), bubble.selected_images, bubble.images)),
        )
        for key in keys
        for entry in map(mapping, items(key))
        if (path := path_of(entry.get("uri")) or text(entry.get("path")) or text(entry.get("uuid")))
    ]
    unlike = {as_json(file): file for file in files}
    return as_json(list(unlike.values())) if unlike else None


def _call(reading: Reading, bubble: Bubble, tool: dict[str, Any]) -> None:
    rows = reading.rows
    given = _json(tool.get("params")) or _json(tool.get("rawArgs"))
    name = text(tool.get("name")) or f"tool {tool.get('tool')}"
    own = call_id(rows.native_id, tool.get("toolCallId")) or bubble.key
    before = len(rows.touches)
    call = tools.called(rows, name, given, native_id=own)
    result = _json(tool.get("result"))
    output = _output(tool.get("result"), result)
    code = integer(mapping(result).get("exitCode"))
    start, end = stamp(bubble.started), stamp(bubble.completed)
    lines = _lines(reading.store, name, mapping(given), mapping(result), tool)
    rows.put(
        call._replace(
            output=output,
            output_bytes=size(output),
            status=_status(tool, code),
            exit_code=code,
            ts=bubble.ts,
            duration_ms=end - start if start is not None and end is not None and end >= start else None,
            lines_added=lines[0],
            lines_removed=lines[1],
        )
    )
    for n in range(before, len(rows.touches)):
        touch = rows.touches[n]
        if touch.action in ("edit", "write") and touch.lines_added is None:
            rows.touches[n] = touch._replace(lines_added=lines[0], lines_removed=lines[1])


def call_id(session: str, own: Any) -> str | None:
    """A call's native id: newer ones append the model's own after a line break."""
    return unique(session, (text(own) or "").partition("\n")[0])


def _json(value: Any) -> Any:
    """What a JSON text holds; the text itself if it holds none."""
    if not isinstance(value, str) or not value:
        return value or None
    try:
        return _JSON.decode(value.encode(errors="replace"))
    except (msgspec.DecodeError, RecursionError):
        return value


def _status(tool: dict[str, Any], code: int | None) -> Status:
    if tool.get("userDecision") == "rejected":
        return "rejected"
    status = _ENDS.get(str(tool.get("status")), "pending")
    return "error" if status == "ok" and code not in (None, 0) else status


def _output(raw: Any, result: Any) -> str | None:
    told = mapping(result)
    for key in ("output", "contents", "content"):
        if isinstance(told.get(key), str):
            return str(told[key])
    return raw if isinstance(raw, str) else as_json(raw)


def _lines(
    store: Store, name: str, told: dict[str, Any], result: dict[str, Any], tool: dict[str, Any]
) -> tools.Counts:
    """From the result or the call, a diff beside it, or the file's texts before and after."""
    found = tools.changed(name, told, result)
    if found[0] is not None or tools.kind_of(name) not in ("edit", "write"):
        return found
    diff = text(mapping(tool.get("additionalData")).get("precomputedDiff"))
    if diff:
        return of_diff(diff)
    before = content(store, result.get("beforeContentId"))
    after = content(store, result.get("afterContentId"))
    return found if after is None else of_texts(before or "", after)


def _spent(bubble: Bubble) -> tuple[int, int] | None:
    """(input, output) tokens; zeros are what Cursor writes where it does not know."""
    told = mapping(bubble.tokens)
    tokens = count(told.get("inputTokens")) or 0, count(told.get("outputTokens")) or 0
    return tokens if any(tokens) else None


def _usage(reading: Reading, bubble: Bubble, seq: int) -> None:
    """A bubble's token count: the context of the turn's last request, without the others."""
    tokens = _spent(bubble)
    rows = reading.rows
    if tokens is not None and bubble.type in (2, "ai"):
        rows.bill(
            Request(
                session=rows.native_id,
                native_id=bubble.key,
                seq=max(0, min(seq, rows.last)),
                model=_model(reading, bubble),
                ts=bubble.ts,
                input_tokens=tokens[0],
                output_tokens=tokens[1],
                incomplete=True,
            )
        )


def _billed(rows: Transcript, info: Composer) -> Iterator[Request]:
    """What usage-based billing took for the whole conversation, by model."""
    for model, told in mapping(info.usage).items():
        cents = number(mapping(told).get("costInCents"))
        if cents:
            yield Request(
                session=rows.native_id,
                native_id=f"{rows.native_id}/usage/{model}",
                seq=max(rows.last, 0),
                model=model,
                ts=rows.ended_at,
                reported_nanousd=round(cents * 10_000_000),
                aggregate=True,
            )


def title(info: Composer, rows: Transcript) -> str | None:
    return one_line(info.name) or rows.first_prompt()

"""Makes records of a folded chat."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Message, MessageKind, Record, Relation, Request, Role, Session, ToolCall
from siphon.sources._decode import typed
from siphon.sources._tally import tallies
from siphon.sources._text import as_json, size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.gemini_cli import format as chat
from siphon.sources.gemini_cli import project, tools
from siphon.sources.gemini_cli.fold import Fold, Kept
from siphon.sources.gemini_cli.skips import SKIPS
from siphon.sources.gemini_cli.tokens import disjoint
from siphon.times import millis

_MESSAGE = msgspec.json.Decoder(chat.Message, strict=False)
_REPLIES = ("gemini", "model")  # the older name
_SYSTEM: dict[str, MessageKind] = {"info": "notice", "warning": "notice", "error": "error"}
READ = frozenset({"user", *_REPLIES, *_SYSTEM, "metadata", "$set", "$rewindTo"})


class Place(NamedTuple):
    """What the path of a chat file says."""

    root: str  # the tool's folder
    slug: str  # the project's
    stem: str
    parent: str | None  # the session whose subagent this is


def records(log: Log, fold: Fold, place: Place) -> Iterator[Record]:
    """All records of a folded chat."""
    metadata = fold.metadata
    lines = Transcript(metadata.session_id or place.stem)
    calls: list[chat.Call] = []
    side = place.parent is not None or metadata.kind == "subagent"
    for own, kept in fold.messages.items():
        message = typed(log, kept.raw, _MESSAGE, kept.line)
        if message is not None:
            _read(lines, fold, side, kept, own, message)
            calls += message.tool_calls or ()
    started, ended = millis(metadata.start_time), millis(metadata.last_updated)
    for ts in (started, ended):
        lines.saw(ts)
    texts = chain(metadata.directories, (text for call in calls for text in _texts(call)))
    where = project.path(log, place.root, place.slug, metadata.project_hash, texts)
    yield Session(
        lines.native_id,
        title=metadata.summary or lines.first_prompt(),
        project=where,
        cwd=where,
        started_at=started or lines.started_at,
        ended_at=lines.ended_at,
        kind="subagent" if side else "main",
    )
    yield from lines.records()
    if place.parent and place.parent != lines.native_id:
        call = _caller(log, place.parent, lines.native_id)
        yield Relation(lines.native_id, "subagent", place.parent, call)
    yield from tallies(fold.types, READ, SKIPS)


def _texts(call: chat.Call) -> Iterator[str]:
    """Where absolute paths are to be found: a call's description, arguments and output."""
    for text in (call.description, as_json(call.args), _output(call)):
        yield (text or "")[:4000]


def _read(
    lines: Transcript, fold: Fold, side: bool, kept: Kept, own: str, message: chat.Message
) -> None:
    session = lines.native_id
    known: dict[str, Any] = {
        "ts": millis(message.timestamp),
        "abandoned": kept.rewound,
        "offset": kept.line.offset,
        "length": len(kept.line.data),
    }
    name = unique(session, own)
    if message.type in _REPLIES:
        _reply(lines, fold, kept, name, message, known)
    elif message.type == "user":
        _user(lines, kept, side, name, message, known)
    else:
        kind = _SYSTEM.get(message.type or "", "notice")
        _say(lines, "system", kind, message.text(), native_id=name, **known)


def _say(lines: Transcript, role: Role, kind: MessageKind, text: str, **known: Any) -> int | None:
    if not text.strip():
        return None
    return lines.put(Message(lines.native_id, lines.seq(), role, kind, text, **known))


def _user(
    lines: Transcript,
    kept: Kept,
    side: bool,
    name: str | None,
    message: chat.Message,
    known: dict[str, Any],
) -> None:
    if chat.responses(message.content) and not message.text().strip():
        _results(lines, name, message, known)
        return
    found = chat.attachments(message.content)
    known["attachments"] = as_json(found) if found else None
    whole = message.text()
    typed_text = chat.text(message.display_content) if message.display_content is not None else whole
    text = typed_text if typed_text.strip() else whole
    kind: MessageKind = "summary" if kept.synthetic else user_kind(text)
    if side and kind == "prompt":
        kind = "notice"  # the task that the parent set
    if not text.strip() and found:
        text = "(attachment)"
    _say(lines, "user", kind, text, native_id=name, **known)
    if text != whole and found == [] and whole.strip():
        _say(lines, "user", "meta", whole, native_id=f"{name}/expanded", **known)


def user_kind(text: str) -> MessageKind:
    """A prompt, a command of the tool, or context that the tool put in."""
    start = text.lstrip()
    if start.startswith(("<session_context>", "<hook_context>")):
        return "meta"
    if start.startswith("<state_snapshot>"):
        return "summary"
    return "command" if start.startswith(("/", "?")) else "prompt"


def _results(lines: Transcript, name: str | None, message: chat.Message, known: dict[str, Any]) -> None:
    """Answers alone: of a call that has none yet, or of none that is known."""
    for number, response in enumerate(chat.responses(message.content)):
        own, text = response.get("id"), chat.answer(response) or ""
        wanted = unique(lines.native_id, own) if isinstance(own, str) else None
        calls = [
            row for row in lines.rows.values() if isinstance(row, ToolCall) and row.native_id == wanted
        ]
        if calls and wanted:
            if calls[-1].output is None:
                lines.put(calls[-1]._replace(output=text, output_bytes=size(text), status="ok"))
        else:
            _say(lines, "tool", "tool_result", text, native_id=f"{name}/{number}", **known)


def _reply(
    lines: Transcript,
    fold: Fold,
    kept: Kept,
    name: str | None,
    message: chat.Message,
    known: dict[str, Any],
) -> None:
    first = lines.last + 1
    thoughts = "\n\n".join(
        "\n".join(part for part in (thought.subject, thought.description) if part)
        for thought in message.thoughts or ()
    )
    said = {**known, "model": message.model, "request": name}
    kind: MessageKind = "meta" if kept.synthetic and not bytes(kept.tokens) else "reply"
    seq = _say(lines, "assistant", "thinking", thoughts, native_id=f"{name}/thoughts", **said)
    text = _say(lines, "assistant", kind, message.text(), native_id=name, **said)
    seq = seq if text is None else text
    for call in message.tool_calls or ():
        _call(lines, call, seq, name, known)
    if kind == "reply":
        _bill(lines, fold, kept, name, min(first, lines.last), message, known)


def _call(
    lines: Transcript, call: chat.Call, seq: int | None, name: str | None, known: dict[str, Any]
) -> None:
    if call.name is None:
        return
    output = _output(call)
    changed = tools.lines(call.name, call.args, call.result_display)
    status = tools.status(call.status, output)
    if status != "ok":
        changed = (None, None)
    row = ToolCall(
        lines.native_id,
        lines.seq(),
        call.name,
        tools.kind(call.name, call.agent_id),
        native_id=unique(lines.native_id, call.id),
        message_seq=seq,
        summary=tools.summary(call.name, call.args, call.description),
        input=as_json(call.args),
        output=output,
        output_bytes=size(output),
        status=status,
        exit_code=tools.exit_code(output) if tools.kind(call.name) == "shell" else None,
        lines_added=changed[0],
        lines_removed=changed[1],
        request=name,
        **{**known, "ts": millis(call.timestamp) or known["ts"]},
    )
    lines.put(row)
    if status == "ok":
        display = call.result_display
        lines.touched(
            row.seq, tools.touches(lines.native_id, row.seq, call.name, call.args, display, changed)
        )


def _output(call: chat.Call) -> str | None:
    """What the model was answered, else what the person was shown."""
    answers = [chat.answer(response) for response in chat.responses(call.result)]
    texts = [text for text in answers if text]
    if texts:
        return "\n".join(texts)
    if call.result is not None and (text := chat.text(call.result)):
        return text
    return call.result_display if isinstance(call.result_display, str) and call.result_display else None


def _bill(
    lines: Transcript,
    fold: Fold,
    kept: Kept,
    name: str | None,
    seq: int,
    message: chat.Message,
    known: dict[str, Any],
) -> None:
    """One message is one request; without counts its usage is unknown, not zero."""
    counts = fold.tokens(kept)
    request = Request(
        lines.native_id,
        name,
        max(0, seq),
        model=message.model,
        ts=known["ts"],
        incomplete=counts is None,
        offset=known["offset"],
        length=known["length"],
    )
    if counts is not None:
        classes = disjoint(
            counts.input, counts.output, counts.cached, counts.thoughts, counts.tool, counts.total
        )
        request = request._replace(
            input_tokens=classes.input,
            cache_read_tokens=classes.cache_read,
            output_tokens=classes.output,
            reasoning_tokens=classes.reasoning,
        )
    lines.bill(request)


def _caller(log: Log, parent: str, own: str) -> str | None:
    """The parent's call that started this session: the one that names it as its agent."""
    for path in log.glob(f"../session-*{parent[:8]}.json*"):
        for line in log.lines_with(path, own):
            message = _quietly(line.data)
            for call in (message.tool_calls if message else None) or ():
                if call.agent_id == own:
                    return unique(parent, call.id)
    return None


def _quietly(data: bytes) -> chat.Message | None:
    """Another log's message; what is wrong with it is told there."""
    try:
        return _MESSAGE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

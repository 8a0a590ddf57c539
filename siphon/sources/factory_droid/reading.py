"""Reads a session: its lines in their order, the totals of its settings last."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Message, MessageKind, Record, Relation, Role, Session, Status, ToolCall
from siphon.sources._decode import entries
from siphon.sources._tally import tallies
from siphon.sources._text import as_json, size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.factory_droid import tools, usage
from siphon.sources.factory_droid.lines import Entry
from siphon.sources.factory_droid.skips import SKIPS
from siphon.times import millis

_ENTRY = msgspec.json.Decoder(Entry, strict=False)
_REMINDER = re.compile(r"<system-reminder>(.*?)(?:</system-reminder>|\Z)\s*", re.DOTALL)
_MODEL = re.compile(r"^\s*(?:[-*]\s*)?Model:\s*(\S.*?)\s*$", re.MULTILINE)
_REFUSED = re.compile(r"reject|denied|declined|did not (?:allow|approve)", re.IGNORECASE)

READ = frozenset({"session_start", "message", "compaction_state", "session_end"})


@dataclass
class Reading:
    """What is known of the session so far."""

    session: Session
    lines: Transcript
    side: bool = False  # started by a tool call of another session
    model: str | None = None  # as the settings name it, else a reminder
    calls: dict[str, int] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)


def parse(log: Log) -> Iterator[Record]:
    """All records of a session's file and of the settings beside it."""
    found = list(entries(log, _ENTRY))
    types = Counter(entry.type or "(no type)" for _, entry in found)
    starts = [entry for _, entry in found if entry.type == "session_start"]
    own = next((start.id for start in starts if start.id), None) or log.stem
    known = usage.settings(log)
    slug = log.parts[-2] if len(log.parts) > 1 and log.parts[-2].startswith("-") else None
    reading = Reading(Session(own, project=slug), Transcript(own))
    reading.model = usage.model(known.model) if known else None
    reading.side = any(start.calling_session_id for start in starts)
    once: dict[bytes, tuple[Line, Entry]] = {}  # a line written twice is one line
    for line, entry in found:
        once.setdefault(line.data, (line, entry))
    for line, entry in once.values():
        _read(reading, line, entry)
    lines = reading.lines
    if known is not None and (total := usage.request(own, known, max(0, lines.last), lines.ended_at)):
        lines.bill(total._replace(model=total.model or reading.model))
    if found:
        yield reading.session._replace(
            title=reading.session.title or lines.first_prompt(),
            started_at=lines.started_at,
            ended_at=lines.ended_at,
            kind="subagent" if reading.side else "main",
        )
        yield from lines.records()
        yield from reading.relations.values()
    yield from tallies(types, READ, SKIPS)


class At(NamedTuple):
    """A line's place."""

    own: str | None  # its id
    parent: str | None
    ts: int | None
    line: Line


def _read(reading: Reading, line: Line, entry: Entry) -> None:
    session = reading.lines.native_id
    at = At(unique(session, entry.id), unique(session, entry.parent_id), millis(entry.timestamp), line)
    reading.lines.saw(at.ts)
    if entry.type == "session_start":
        _start(reading, entry)
    elif entry.type == "compaction_state":
        _say(reading, at, "", "system", "summary", entry.summary_text)
    elif entry.type == "message" and entry.message is not None:
        content = entry.message.content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        known = (
            [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
        )
        if entry.message.role == "assistant":
            _assistant(reading, at, known)
        else:
            _user(reading, at, known)


def _say(
    reading: Reading,
    at: At,
    part: str,
    role: Role,
    kind: MessageKind,
    text: Any,
    attachments: str | None = None,
) -> int | None:
    """Add a message; `part` tells the messages of one line apart."""
    if not isinstance(text, str) or not text.strip():
        return None
    lines = reading.lines
    return lines.put(
        Message(
            lines.native_id,
            lines.seq(),
            role,
            kind,
            text,
            ts=at.ts,
            native_id=f"{at.own}{part}" if at.own else None,
            parent_native_id=at.parent,
            model=reading.model if role == "assistant" else None,
            attachments=attachments,
            offset=at.line.offset,
            length=len(at.line.data),
        )
    )


def _user(reading: Reading, at: At, blocks: list[dict[str, Any]]) -> None:
    """What is left when reminders and results are taken out is a prompt, or a subagent's task."""
    whole = "\n".join(block["text"] for block in blocks if isinstance(block.get("text"), str))
    for number, reminder in enumerate(_REMINDER.findall(whole)):
        if reading.model is None and (named := _MODEL.search(reminder)):
            reading.model = named[1]
        _say(reading, at, f"/reminder-{number}", "user", "meta", reminder.strip())
    for block in blocks:
        if block.get("type") == "tool_result":
            _finish(reading, at, block)
    images = [_image(block) for block in blocks if block.get("type") in ("image", "document")]
    text = _REMINDER.sub("", whole).strip() or ("(attachment)" if images else "")
    kind: MessageKind = "notice" if reading.side else "prompt"
    _say(reading, at, "", "user", kind, text, as_json(images) if images else None)


def _image(block: dict[str, Any]) -> dict[str, Any]:
    source = block.get("source") if isinstance(block.get("source"), dict) else {}
    data = source.get("data") if source else None
    found = {"type": block.get("type"), "media_type": source.get("media_type") if source else None}
    return {**found, "bytes": len(data) * 3 // 4} if isinstance(data, str) else found


def _assistant(reading: Reading, at: At, blocks: list[dict[str, Any]]) -> None:
    seq, texts = None, 0
    for number, block in enumerate(blocks):
        match block.get("type"):
            case "thinking":
                thought = _say(reading, at, f"/{number}", "assistant", "thinking", block.get("thinking"))
                seq = seq if thought is None else thought
            case "text":
                part = f"/{number}" if texts else ""
                said = _say(reading, at, part, "assistant", "reply", block.get("text"))
                seq, texts = (seq, texts) if said is None else (said, texts + 1)
            case "tool_use":
                _call(reading, at, block, seq)


def _call(reading: Reading, at: At, block: dict[str, Any], seq: int | None) -> None:
    name, own, args = block.get("name"), block.get("id"), block.get("input")
    if not isinstance(name, str):
        return
    own, lines = own if isinstance(own, str) else None, reading.lines
    row = ToolCall(
        lines.native_id,
        lines.seq(),
        name,
        tools.kind(name),
        native_id=unique(lines.native_id, own),
        message_seq=seq,
        summary=tools.summary(name, args),
        input=as_json(args),
        ts=at.ts,
        offset=at.line.offset,
        length=len(at.line.data),
    )
    lines.ask(row, args)
    if own:
        reading.calls[own] = row.seq


def _finish(reading: Reading, at: At, block: dict[str, Any]) -> None:
    own, output = block.get("tool_use_id"), _text(block.get("content"))
    row = reading.lines.call(reading.calls.get(own, -1)) if isinstance(own, str) else None
    if row is None:
        _say(reading, at, f"/{own}", "tool", "tool_result", output)
        return
    status: Status = "ok" if not block.get("is_error") else "rejected" if _refused(output) else "error"
    args = reading.lines.asked[row.seq]
    changed = tools.lines(args) if status == "ok" and row.kind in ("edit", "write") else (None, None)
    lines = reading.lines
    lines.put(
        row._replace(
            output=output,
            output_bytes=size(output),
            status=status,
            exit_code=tools.exit_code(output) if row.kind == "shell" else None,
            duration_ms=at.ts - row.ts
            if at.ts is not None and row.ts is not None and at.ts >= row.ts
            else None,
            lines_added=changed[0],
            lines_removed=changed[1],
            result_offset=at.line.offset,
            result_length=len(at.line.data),
        )
    )
    if status == "ok":
        lines.touched(row.seq, tools.touches(lines.native_id, row.seq, row.name, args))


def _refused(output: str | None) -> bool:
    return output is not None and _REFUSED.search(output[:400]) is not None


def _text(content: Any) -> str | None:
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = (part.get("text") for part in content if isinstance(part, dict))
    return "\n".join(part for part in parts if isinstance(part, str))


def _start(reading: Reading, entry: Entry) -> None:
    title = entry.session_title or entry.title
    reading.session = reading.session._replace(
        title=title if title and title != "New Session" else reading.session.title,
        cwd=entry.cwd or reading.session.cwd,
        project=entry.cwd or reading.session.project,
        version=entry.version if isinstance(entry.version, str) else reading.session.version,
    )
    caller, own = entry.calling_session_id, reading.lines.native_id
    if caller and caller != own:
        call = unique(caller, entry.calling_tool_use_id)
        reading.relations[caller] = Relation(own, "subagent", caller, call)

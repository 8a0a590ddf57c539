"""Reads a thread: its messages in their order."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Message, MessageKind, Record, Role, ToolCall
from siphon.sources._decode import document, places, typed
from siphon.sources._tally import tallies
from siphon.sources._text import as_json, size, text_of, unique
from siphon.sources._transcript import Transcript
from siphon.sources.amp import about, lines, tools, usage
from siphon.sources.amp.skips import SKIPS
from siphon.times import millis

_THREAD = msgspec.json.Decoder(lines.Thread, strict=False)
_MESSAGE = msgspec.json.Decoder(lines.Message, strict=False)
READ = frozenset(
    """
        thread user assistant info block/text block/thinking block/tool_use block/tool_result block/image
        block/summary block/manual_bash_invocation ledger
    """.split()
)


class At(NamedTuple):
    """A message's place."""

    own: str  # the same in a fork's copy
    ts: int | None
    line: Line


@dataclass
class Reading:
    """What is known of the thread so far."""

    rows: Transcript
    ledger: dict[str, lines.Usage]
    calls: dict[str, int] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)


def thread(log: Log) -> tuple[bytes, lines.Thread] | None:
    """The document; None: unreadable."""
    return document(log, _THREAD)


def parse(log: Log, data: bytes, found: lines.Thread) -> Iterator[Record]:
    """All records of a thread."""
    own = found.id or log.stem
    events = (found.usage_ledger.events if found.usage_ledger else None) or []
    reading = Reading(Transcript(own), dict(usage.of_ledger(events)))
    reading.types.update({"thread": 1, "ledger": len(events)})
    for line in places(data, found.messages or ()):
        message = typed(log, line.data, _MESSAGE, line)
        if message is not None:
            _read(reading, line, message)
    yield about.session(found, reading.rows)
    yield from reading.rows.records()
    yield from about.relations(found, own)
    yield from tallies(+reading.types, READ, SKIPS)


def _read(reading: Reading, line: Line, message: lines.Message) -> None:
    reading.types[message.role or "(no role)"] += 1
    blocks = _blocks(message)
    cancelled = message.state is not None and message.state.type == "cancelled"
    if cancelled and not blocks:
        return
    index = str(line.number - 1 if message.message_id is None else message.message_id)
    paid = message.usage or reading.ledger.get(index)
    ts = _time(message, paid)
    at = At(_identity(reading.rows.native_id, index, ts, message), ts, line)
    reading.types.update(f"block/{block.get('type')}" for block in blocks)
    if message.role == "assistant":
        _assistant(reading, at, blocks, paid, message)
    else:
        _user(reading, at, blocks, message.role == "user")
    if cancelled:
        _stop(reading)


def _identity(thread: str, index: str, ts: int | None, message: lines.Message) -> str:
    """A fork copies index, time and content; messages without a time have an id in their thread only."""
    if ts is None:
        return f"{thread}/{index}"
    content = msgspec.json.encode(message.content)
    return f"{index}@{ts}:{hashlib.blake2s(content, digest_size=8).hexdigest()}"


def _time(message: lines.Message, paid: lines.Usage | None) -> int | None:
    sent = millis(message.meta.sent_at) if message.meta else None
    return sent or millis(message.created_at) or (millis(paid.timestamp) if paid else None)


def _blocks(message: lines.Message) -> list[dict[str, Any]]:
    content = message.content if message.content is not None else message.text
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _say(
    reading: Reading, at: At, part: str, role: Role, kind: MessageKind, text: Any, **more: Any
) -> int | None:
    """Add a message; `part` tells the rows of one message apart."""
    if not isinstance(text, str) or not text.strip():
        return None
    known: dict[str, Any] = {"ts": at.ts, "native_id": f"{at.own}{part}", **more}
    known |= {"offset": at.line.offset, "length": len(at.line.data)}
    return reading.rows.put(
        Message(reading.rows.native_id, reading.rows.seq(), role, kind, text, **known)
    )


def _user(reading: Reading, at: At, blocks: list[dict[str, Any]], person: bool) -> None:
    results = [block for block in blocks if block.get("type") == "tool_result"]
    for block in results:
        _finish(reading, at, block)
    texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
    images = [_image(block) for block in blocks if block.get("type") == "image"]
    text = "\n".join(texts) or ("(attachment)" if images else "")
    kind: MessageKind = "prompt" if person and not results else "notice"
    role: Role = "user" if person else "system"
    _say(reading, at, "", role, kind, text, attachments=as_json(images) if images else None)
    for number, block in enumerate(blocks):
        if block.get("type") == "summary":
            _say(
                reading, at, f"/{number}", "system", "summary", text_of(block.get("summary"), "summary")
            )
        elif block.get("type") == "manual_bash_invocation":
            _typed_command(reading, at, number, block)


def _typed_command(reading: Reading, at: At, number: int, block: dict[str, Any]) -> None:
    """A shell command that the person ran in the thread, and what it printed."""
    run = block.get("toolRun")
    printed = tools.output(run) if isinstance(run, dict) else None
    command = text_of(block.get("args"), "cmd")
    _say(reading, at, f"/{number}", "user", "command", command)
    _say(reading, at, f"/{number}/output", "system", "command", printed)


def _image(block: dict[str, Any]) -> dict[str, Any]:
    source = block.get("source")
    data = text_of(source, "data")
    media = text_of(source, "mediaType", "media_type") or text_of(block, "mediaType")
    found = {"type": "image", "media_type": media, "bytes": len(data) * 3 // 4 if data else None}
    return {key: value for key, value in found.items() if value is not None}


def _assistant(
    reading: Reading,
    at: At,
    blocks: list[dict[str, Any]],
    paid: lines.Usage | None,
    message: lines.Message,
) -> None:
    first, seq, texts = reading.rows.last + 1, None, 0
    known = {"model": paid.model if paid else None, "request": at.own}
    for number, block in enumerate(blocks):
        match block.get("type"):
            case "thinking":
                said = _say(
                    reading, at, f"/{number}", "assistant", "thinking", block.get("thinking"), **known
                )
                seq = seq if said is None else said
            case "text":
                part = f"/{number}" if texts else ""
                said = _say(reading, at, part, "assistant", "reply", block.get("text"), **known)
                seq, texts = (seq, texts) if said is None else (said, texts + 1)
            case "tool_use":
                _call(reading, at, block, seq)
    place = min(first, max(0, reading.rows.last))
    billed = usage.request(reading.rows.native_id, at.own, place, at.line, at.ts, paid)
    streaming = message.state is not None and message.state.type == "streaming"
    reading.rows.bill(billed._replace(incomplete=billed.incomplete or streaming))


def _call(reading: Reading, at: At, block: dict[str, Any], seq: int | None) -> None:
    name, args, own = text_of(block, "name"), block.get("input"), text_of(block, "id")
    if name is None:
        return
    rows = reading.rows
    row = ToolCall(
        rows.native_id,
        rows.seq(),
        name,
        tools.kind(name),
        native_id=unique(at.own, own),
        message_seq=seq,
        summary=tools.summary(name, args),
        input=as_json(args),
        ts=at.ts,
        request=at.own,
        offset=at.line.offset,
        length=len(at.line.data),
    )
    rows.ask(row, args)
    if own:
        reading.calls[own] = row.seq


def _finish(reading: Reading, at: At, block: dict[str, Any]) -> None:
    run = block.get("run")
    run = run if isinstance(run, dict) else {}
    own = text_of(block, "toolUseID", "tool_use_id")
    row = reading.rows.call(reading.calls.get(own or "", -1))
    output = tools.output(run)
    if row is None:
        _say(reading, at, f"/{own}", "tool", "tool_result", output)
        return
    status = tools.status(run.get("status"))
    args = reading.rows.asked[row.seq]
    changed = tools.lines(row.name, args, run) if status == "ok" else (None, None)
    rows = reading.rows
    rows.put(
        row._replace(
            output=output,
            output_bytes=size(output),
            status=status,
            exit_code=tools.exit_code(run),
            duration_ms=_between(row.ts, at.ts) if status != "pending" else None,
            lines_added=changed[0],
            lines_removed=changed[1],
            result_offset=at.line.offset,
            result_length=len(at.line.data),
        )
    )
    if status == "ok":
        rows.touched(row.seq, tools.touches(rows.native_id, row.seq, row.name, args, changed))


def _between(start: int | None, end: int | None) -> int | None:
    return end - start if start is not None and end is not None and end >= start else None


def _stop(reading: Reading) -> None:
    """A cancelled message's calls without a result were interrupted."""
    for seq in list(reading.rows.rows):
        row = reading.rows.call(seq)
        if row is not None and row.status == "pending":
            reading.rows.put(row._replace(status="interrupted"))

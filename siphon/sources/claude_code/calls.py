"""A tool call and its result become one row: status, exit code, duration, files and lines."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import FileTouch, Status, ToolCall
from siphon.sources._text import size
from siphon.sources.claude_code import toolbox
from siphon.sources.claude_code.agents import Place
from siphon.sources.claude_code.answers import Answer
from siphon.sources.claude_code.entries import Block, Media
from siphon.sources.claude_code.spills import spilled
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.toolbox import Call, Outcome

_OUTCOME = msgspec.json.Decoder(Outcome, strict=False)
_EXIT = re.compile(r"(?:Error: )?Exit code (-?\d{1,10})\b")
_REJECTIONS = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "User rejected tool use",
)
_INTERRUPTED = "[Request interrupted by user for tool use]"


@dataclass(slots=True)
class Open:
    """A call whose result has not come."""

    session: str
    seq: int
    native_id: str | None
    call: Call
    input: str | None
    message_seq: int | None
    answer: Answer | None
    spot: Spot
    interrupted: bool = False


class Result(NamedTuple):
    """A tool's result, wherever in a line it stands."""

    text: str | None
    is_error: bool | None
    extra: msgspec.Raw  # toolUseResult
    denied: bool
    spot: Spot


def unfinished(opened: Open) -> ToolCall:
    """The row of a call without result."""
    return ToolCall(
        session=opened.session,
        seq=opened.seq,
        name=opened.call.name,
        kind=opened.call.kind,
        native_id=opened.native_id,
        message_seq=opened.message_seq,
        summary=toolbox.summary(opened.call),
        input=opened.input,
        status="interrupted" if opened.interrupted else "pending",
        ts=opened.spot.ts,
        request=opened.answer.native_id if opened.answer is not None else None,
        abandoned=opened.spot.abandoned,
        offset=opened.spot.offset,
        length=opened.spot.length,
    )


def finished(log: Log, place: Place, opened: Open, result: Result) -> tuple[ToolCall, FileTouch | None]:
    """The rows of a call with its result."""
    call, answer = opened.call, opened.answer
    outcome = _outcome(log, call, result)
    status = _status(result, outcome)
    spill = spilled(log, place, result.text, outcome)
    output = spill.text if spill is not None else result.text
    lines = toolbox.changed(call, outcome) if status == "ok" else None
    if answer is not None and outcome is not None:
        answer.searched += toolbox.searches(call, outcome)
    row = ToolCall(
        session=opened.session,
        seq=opened.seq,
        name=call.name,
        kind=call.kind,
        native_id=opened.native_id,
        message_seq=opened.message_seq,
        summary=toolbox.summary(call),
        input=opened.input,
        output=output,
        output_bytes=spill.size if spill is not None else _whole(outcome) or size(output),
        status=status,
        exit_code=_exit_code(result, outcome),
        ts=opened.spot.ts,
        duration_ms=_duration(opened, result, outcome),
        lines_added=lines.added if lines is not None else None,
        lines_removed=lines.removed if lines is not None else None,
        request=answer.native_id if answer is not None else None,
        abandoned=opened.spot.abandoned,
        offset=opened.spot.offset,
        length=opened.spot.length,
        result_offset=result.spot.offset,
        result_length=result.spot.length,
    )
    return row, _touch(call, row)


def text_of(content: Any) -> str | None:
    """A result's text; images and the like are named, with their size."""
    if isinstance(content, list):
        return "\n".join(filter(None, map(_part, content))) or None
    if isinstance(content, dict):
        return msgspec.json.encode(content).decode()
    return content if isinstance(content, str) else None


def media(block: Block) -> dict[str, Any]:
    """What is kept of an image or document, as an element of `Message.attachments`."""
    source = block.source if isinstance(block.source, Media) else Media()
    given = bytes(source.data)
    data = len(given) - 2 if given.startswith(b'"') else 0
    padding = given.count(b"=", -3) if data > 0 else 0
    exact = data if source.type == "text" else data * 3 // 4 - padding
    kept = {"type": block.type, "media_type": source.media_type, "bytes": exact if data > 0 else None}
    return {key: value for key, value in kept.items() if value is not None}


def _part(block: Block) -> str | None:
    if block.text is not None:
        return block.text
    if block.type in ("image", "document"):
        kept = media(block)
        size = f", {kept['bytes']} bytes" if "bytes" in kept else ""
        return f"[{block.type} {kept.get('media_type', 'of unknown type')}{size}]"
    if block.title is not None or block.url is not None:
        return " — ".join(filter(None, (block.title, block.url)))
    if isinstance(block.content, str):
        return block.content
    return " ".join(filter(None, (f"[{block.type or 'block'}", block.tool_name or block.name))) + "]"


def _outcome(log: Log, call: Call, result: Result) -> Outcome | None:
    """The harness's view; an MCP server's own structure may use the same names for other things."""
    raw = result.extra
    if bytes(memoryview(raw)[:1]) != b"{" or call.kind in ("mcp", "read", "plan"):
        return None
    try:
        return _OUTCOME.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if call.kind != "other":
            log.problem(f"toolUseResult of {call.name}: {error}", result.spot.number, result.spot.offset)
        return None


def _status(result: Result, outcome: Outcome | None) -> Status:
    extra = _string(result.extra) or ""
    if result.denied or extra.startswith(_REJECTIONS):
        return "rejected"
    if result.text is not None:
        if result.is_error and result.text.startswith(_REJECTIONS):
            return "rejected"
        if result.text.startswith(_INTERRUPTED):
            return "interrupted"
    if outcome is not None and outcome.interrupted:
        return "interrupted"
    if result.is_error or (result.is_error is None and extra.startswith("Error:")):
        return "error"
    return "ok"


def _exit_code(result: Result, outcome: Outcome | None) -> int | None:
    """As a background shell states it, or as the text of a failed command begins."""
    if outcome is not None:
        if outcome.exit_code is not None:
            return outcome.exit_code
        if outcome.task is not None and outcome.task.exit_code is not None:
            return outcome.task.exit_code
    found = _EXIT.match(result.text) if result.is_error and result.text is not None else None
    return int(found[1]) if found is not None else None


def _duration(opened: Open, result: Result, outcome: Outcome | None) -> int | None:
    stated = toolbox.duration_ms(outcome) if outcome is not None else None
    begin, end = opened.spot.ts, result.spot.ts
    if stated is not None or begin is None or end is None:
        return stated
    return max(end - begin, 0)


def _touch(call: Call, row: ToolCall) -> FileTouch | None:
    """A call that failed touched nothing."""
    found = toolbox.touched(call)
    if found is None or row.status != "ok":
        return None
    path, action = found
    return FileTouch(row.session, row.seq, path, action, row.lines_added, row.lines_removed)


def _whole(outcome: Outcome | None) -> int | None:
    """Bytes of a spilled output whose file is not held."""
    return outcome.persisted_output_size if outcome is not None else None


def _string(raw: msgspec.Raw) -> str | None:
    """The head of a JSON string; None: it is something else."""
    text = bytes(memoryview(raw)[:200])
    return text[1:].decode(errors="replace") if text.startswith(b'"') else None

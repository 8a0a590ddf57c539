"""A tool call and its result become one row: status, exit code, duration, files and lines."""

import re
from typing import Any

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
_ROW = tuple.__new__
_OBJECT, _QUOTE = b'{"'
_CHANGING = ("edit", "write")
_INTERRUPTED = "[Request interrupted by user for tool use]"


class Open(msgspec.Struct, gc=False):
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


class Result(msgspec.Struct, frozen=True, gc=False):
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
    # A third of all lines come here. By place, not by name, a row of this width costs a fifth.
    call, answer, spot, text = opened.call, opened.answer, opened.spot, result.text
    outcome, extra = _extra(log, call, result)
    status = _status(result, extra, outcome)
    whole = exit_code = added = removed = None
    if outcome is not None:
        whole = outcome.persisted_output_size
        if answer is not None and call.tool == "websearch":
            answer.searched += toolbox.searches(call, outcome)
    if outcome is not None or result.is_error:
        exit_code = _exit_code(result, outcome)
    spill = spilled(log, place, text, outcome)
    if spill is not None:
        text, whole = spill
    touch = None
    if status == "ok" and call.kind in toolbox.ACTIONS:
        if call.kind in _CHANGING and (lines := toolbox.changed(call, outcome)) is not None:
            added, removed = lines
        if (touched := toolbox.touched(call)) is not None:
            touch = FileTouch(opened.session, opened.seq, *touched, added, removed)
    row = _ROW(ToolCall, (
        opened.session, opened.seq, call.name, call.kind, opened.native_id, opened.message_seq,
        toolbox.summary(call), opened.input, text, size(text) if not whole and spill is None else whole,
        status, exit_code, spot.ts, _duration(opened, result, outcome), added, removed,
        None if answer is None else answer.native_id, spot.abandoned, spot.offset, spot.length,
        result.spot.offset, result.spot.length,
    ))  # fmt: skip
    return row, touch


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


def _extra(log: Log, call: Call, result: Result) -> tuple[Outcome | None, str]:
    """The harness's view, or the head of the text that stands in its place.

    An MCP server's own structure may use the same names for other things.
    """
    view = memoryview(result.extra)
    head = view[0] if view else None
    if head == _QUOTE:
        return None, bytes(view[1:200]).decode(errors="replace")
    if head != _OBJECT or call.kind in ("mcp", "read", "plan"):
        return None, ""
    try:
        return _OUTCOME.decode(result.extra), ""
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if call.kind != "other":
            log.problem(f"toolUseResult of {call.name}: {error}", result.spot.number, result.spot.offset)
        return None, ""


def _status(result: Result, extra: str, outcome: Outcome | None) -> Status:
    """`extra`: the head of a toolUseResult that is a text."""
    text, is_error = result.text, result.is_error
    if result.denied or (extra and extra.startswith(_REJECTIONS)):
        return "rejected"
    if text is not None:
        if is_error and text.startswith(_REJECTIONS):
            return "rejected"
        if text.startswith(_INTERRUPTED):
            return "interrupted"
    if outcome is not None and outcome.interrupted:
        return "interrupted"
    if is_error or (is_error is None and extra.startswith("Error:")):
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
    if outcome is not None and (stated := toolbox.duration_ms(outcome)) is not None:
        return stated
    begin, end = opened.spot.ts, result.spot.ts
    if begin is None or end is None:
        return None
    return end - begin if end > begin else 0

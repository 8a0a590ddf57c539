"""A tool call and its result become one row: status, exit code, duration, files and lines."""

import re
from typing import Any

import msgspec

from siphon.log import Log
from siphon.records import FileTouch, Record, Status, ToolCall
from siphon.sources._text import size
from siphon.sources.claude_code import outcome as told
from siphon.sources.claude_code import toolbox
from siphon.sources.claude_code.agents import Place
from siphon.sources.claude_code.answers import Answer
from siphon.sources.claude_code.entries import Block, Media
from siphon.sources.claude_code.outcome import Extra, Outcome
from siphon.sources.claude_code.spills import PERSISTED, spilled
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.toolbox import Args, Tool

_EXIT = re.compile(r"(?:Error: )?Exit code (-?\d{1,10})\b")
_REJECTIONS = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "User rejected tool use",
)
_INTERRUPTED = "[Request interrupted by user for tool use]"
_ROW = tuple.__new__  # a row by place, not by name, costs a fifth


class Open(msgspec.Struct, gc=False):
    """A call whose result has not come."""

    seq: int
    native_id: str | None
    tool: Tool
    args: Args
    input: str | None
    message_seq: int | None
    answer: Answer | None
    spot: Spot
    interrupted: bool = False


class Result(msgspec.Struct, frozen=True, gc=False):
    """A tool's result, wherever in a line it stands."""

    text: str | None
    is_error: bool | None
    extra: Extra  # toolUseResult
    denied: bool
    spot: Spot


def unfinished(session: str, opened: Open) -> ToolCall:
    """The row of a call without result."""
    return ToolCall(
        session=session,
        seq=opened.seq,
        name=opened.tool.name,
        kind=opened.tool.kind,
        native_id=opened.native_id,
        message_seq=opened.message_seq,
        summary=toolbox.summary(opened.tool, opened.args),
        input=opened.input,
        status="interrupted" if opened.interrupted else "pending",
        ts=opened.spot.ts,
        request=opened.answer.native_id if opened.answer is not None else None,
        abandoned=opened.spot.abandoned,
        offset=opened.spot.offset,
        length=opened.spot.length,
    )


def finish(
    log: Log, place: Place, out: list[Record], session: str, opened: Open, result: Result
) -> None:
    """Yield the rows of a call with its result."""
    # A third of all lines come here: what few results are is asked before a function is called.
    tool, answer, spot = opened.tool, opened.answer, opened.spot
    text, extra, end = result.text, result.extra, result.spot
    whole = code = duration = added = removed = path = None
    outcome = extra if tool.tells and isinstance(extra, Outcome) else None
    status: Status = "ok"
    if (
        result.is_error
        or result.denied
        or isinstance(extra, str)
        or (text is not None and text.startswith(_INTERRUPTED))
        or (outcome is not None and outcome.interrupted)
    ):
        status = _status(result, outcome)
    if outcome is not None:
        if (measures := told.measures(outcome)) is not None:
            whole, code, duration = measures
        if answer is not None and tool.key == "websearch":
            answer.searched += told.searches(outcome)
    if (text is not None and PERSISTED in text) or (
        outcome is not None and outcome.persisted_output_path
    ):
        spill = spilled(log, place, text, outcome)
        text, whole = (text, whole) if spill is None else spill
    if tool.action is not None and status == "ok":
        path = toolbox.touched(opened.args)
        if tool.changes and (lines := toolbox.changed(tool, opened.args, outcome)) is not None:
            added, removed = lines
    if whole is None and text is not None:
        whole = len(text) if text.isascii() else size(text)
    if code is None and result.is_error:
        code = _exit_code(result)
    if duration is None:
        duration = _between(spot.ts, end.ts)
    out.append(_ROW(ToolCall, (
        session, opened.seq, tool.name, tool.kind, opened.native_id, opened.message_seq,
        toolbox.summary(tool, opened.args), opened.input, text, whole, status, code, spot.ts, duration,
        added, removed, None if answer is None else answer.native_id, spot.abandoned, spot.offset,
        spot.length, end.offset, end.length,
    )))  # fmt: skip
    if path is not None and tool.action is not None:
        out.append(FileTouch(session, opened.seq, path, tool.action, added, removed))


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


def _status(result: Result, outcome: Outcome | None) -> Status:
    text, is_error, extra = result.text, result.is_error, result.extra
    failure = extra if isinstance(extra, str) else ""
    if result.denied or (failure and failure.startswith(_REJECTIONS)):
        return "rejected"
    if text is not None:
        if is_error and text.startswith(_REJECTIONS):
            return "rejected"
        if text.startswith(_INTERRUPTED):
            return "interrupted"
    if outcome is not None and outcome.interrupted is True:
        return "interrupted"
    if is_error or (is_error is None and failure.startswith("Error:")):
        return "error"
    return "ok"


def _exit_code(result: Result) -> int | None:
    """As the text of a failed command begins."""
    found = _EXIT.match(result.text) if result.text is not None else None
    return int(found[1]) if found is not None else None


def _between(begin: int | None, end: int | None) -> int | None:
    if begin is None or end is None:
        return None
    return end - begin if end > begin else 0

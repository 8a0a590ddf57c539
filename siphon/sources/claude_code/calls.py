"""Tool calls and results as they are told: texts, media, status, exit code."""

import re
from typing import Any, NamedTuple

import msgspec

from siphon.records import Status, ToolCall
from siphon.sources.claude_code import toolbox
from siphon.sources.claude_code.answers import Answer
from siphon.sources.claude_code.entries import Block, Media, Turn
from siphon.sources.claude_code.outcome import Outcome
from siphon.sources.claude_code.spots import Spot
from siphon.sources.claude_code.toolbox import Args, Tool

_EXIT = re.compile(r"(?:Error: )?Exit code (-?\d{1,10})\b")
_REJECTIONS = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "User rejected tool use",
)
INTERRUPTED = "[Request interrupted by user for tool use]"


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


class Result(NamedTuple):
    """A result whose call has not come."""

    seq: int
    spot: Spot
    block: Block
    entry: Turn  # as much of it as tells of the result


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


def status(block: Block, entry: Turn, text: str | None, outcome: Outcome | None) -> Status:
    """How a call went, by its result."""
    is_error, extra = block.is_error, entry.tool_use_result
    failure = extra if isinstance(extra, str) else ""
    if entry.tool_denial_kind is not None or (failure and failure.startswith(_REJECTIONS)):
        return "rejected"
    if text is not None:
        if is_error and text.startswith(_REJECTIONS):
            return "rejected"
        if text.startswith(INTERRUPTED):
            return "interrupted"
    if outcome is not None and outcome.interrupted is True:
        return "interrupted"
    if is_error or (is_error is None and failure.startswith("Error:")):
        return "error"
    return "ok"


def exit_code(text: str | None) -> int | None:
    """As the text of a failed command begins."""
    found = _EXIT.match(text) if text is not None else None
    return int(found[1]) if found is not None else None

"""How a tool call went, as told by the text it gave back."""

import re
from typing import Any

import msgspec
from msgspec import structs

from siphon.records import Status
from siphon.sources._loose import mapping, text
from siphon.sources.codex.lines import Outcome, Part


class Result(msgspec.Struct, frozen=True, gc=False):
    """A tool's output: its text, unwrapped, and what the text says of how it went."""

    text: str | None
    status: Status
    exit_code: int | None = None
    duration_ms: int | None = None


class _Metadata(msgspec.Struct, gc=False, frozen=True):
    exit_code: int | None = None
    duration_seconds: float | None = None


class _Wrapped(msgspec.Struct, gc=False):
    output: str
    metadata: _Metadata = _Metadata()


_WRAPPED = msgspec.json.Decoder(_Wrapped)
_HEADER = re.compile(
    r"(?:Chunk ID: .*\n)?(?:Exit code: (-?\d{1,9})\s*\n)?Wall time: (\d{1,9}(?:\.\d+)?) seconds?"
    r"(?:\s*\nProcess exited with code (-?\d{1,9}))?"
)
_REFUSED = re.compile(r"(?:exec command|patch|command|tool call|\w+)? ?rejected by (?:the )?user", re.I)
_STOPPED = re.compile(r"aborted(?: by (?:the )?user| after|$)|command was aborted", re.I)
_FAILED = re.compile(
    r"(?:execution error|failed\b|unsupported (?:call|custom tool)|\w+ (?:verification )?failed\b)", re.I
)


def of_output(output: Any) -> Result:
    """The result of a function_call_output, whatever form it has."""
    if isinstance(output, str):
        return _of_text(output)
    if isinstance(output, Outcome):
        inner = output.content if output.content is not None else text(output.text)
        result = of_output(inner)
        return structs.replace(result, status="error") if output.success is False else result
    if isinstance(output, list):
        return of_output("\n".join(_blocks(output)))
    return Result(None, "ok")


def _blocks(parts: list[Any]) -> list[str]:
    """The texts; an image leaves only word that it was there."""
    found = (part if isinstance(part, str) else _block(part) for part in parts)
    return [value for value in found if value]


def _block(part: Any) -> str | None:
    if isinstance(part, Part):
        return text(part.text) or ("[image]" if part.image_url else None)
    block = mapping(part)
    return text(block.get("text")) or ("[image]" if block.get("type") == "image" else None)


def _of_text(output: str) -> Result:
    if output.startswith('{"output"'):
        try:
            wrapped = _WRAPPED.decode(output)
        except (msgspec.DecodeError, RecursionError):
            return Result(output, "ok")
        told = wrapped.metadata
        code = told.exit_code
        return Result(wrapped.output, "error" if code else "ok", code, millis_of(told.duration_seconds))
    header = _HEADER.match(output)
    if header:
        early, seconds, late = header.groups()
        said = early or late
        code = int(said) if said else None
        return Result(output, "error" if code else "ok", code, millis_of(float(seconds)))
    return Result(output, _by_words(output[:200]))


def _by_words(head: str) -> Status:
    if _REFUSED.match(head):
        return "rejected"
    if _STOPPED.match(head):
        return "interrupted"
    return "error" if _FAILED.match(head) else "ok"


def of_mcp(result: Any) -> Result:
    """The result of an MCP call: `{"Ok": {content, isError}}`, `{"Err": text}` or the bare content."""
    outer = mapping(result)
    if "Err" in outer:
        return Result(text(outer["Err"]), "error")
    inner = mapping(outer.get("Ok", outer))
    content = inner.get("content")
    words = "\n".join(_blocks(content)) if isinstance(content, list) else text(content)
    return Result(words, "error" if inner.get("isError") is True else "ok")


def millis_of(duration: Any) -> int | None:
    """Milliseconds of seconds, or of `{secs, nanos}`."""
    if isinstance(duration, float):
        return round(duration * 1000) if 0 <= duration < 1 << 40 else None
    if isinstance(duration, dict):
        secs, nanos = duration.get("secs"), duration.get("nanos")
        if isinstance(secs, int) and isinstance(nanos, int) and 0 <= secs < 1 << 40:
            return secs * 1000 + nanos // 1_000_000
        return None
    return duration * 1000 if isinstance(duration, int) and 0 <= duration < 1 << 40 else None

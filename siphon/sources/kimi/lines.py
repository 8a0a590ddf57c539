"""Lines of the logs: the old wire, the new wire, and context.jsonl."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Event(msgspec.Struct):
    """What happened, in the old wire: `payload` depends on the type."""

    type: str | None = None
    payload: Any = None


class OldLine(msgspec.Struct):
    """One line of the old wire; the first is `{"type": "metadata", …}`."""

    timestamp: Stamp = None
    message: Event | None = None
    type: str | None = None


class Usage(msgspec.Struct):
    """Token counts of one request, disjoint, thinking in output. The new wire writes camel case."""

    input_other: Count | None = None
    output: Count | None = None
    input_cache_read: Count | None = None
    input_cache_creation: Count | None = None


class NewLine(msgspec.Struct, rename="camel"):
    """One line of the new wire: flat, but for loop events."""

    type: str | None = None
    time: Stamp = None
    timestamp: Stamp = None
    created_at: Stamp = msgspec.field(default=None, name="created_at")
    event: Any = None
    input: Any = None
    origin: Any = None
    model: str | None = None
    model_alias: str | None = None
    usage: Any = None
    cwd: str | None = None
    environment_disclosure: Any = None
    message: Any = None
    summary: str | None = None
    context_summary: str | None = None
    tool_call_id: str | None = None
    result: Any = None
    reason: str | None = None
    count: int | None = None


class ContextLine(msgspec.Struct):
    """One line of context.jsonl: the model's history, without times."""

    role: str | None = None
    content: Any = None
    tool_calls: Any = None
    tool_call_id: str | None = None

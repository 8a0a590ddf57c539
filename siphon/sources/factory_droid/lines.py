"""What a session's file and the settings beside it hold."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Said(msgspec.Struct):
    role: str | None = None
    content: Any = None  # text, or blocks as in Anthropic's API


class Entry(msgspec.Struct, rename="camel"):
    """One line: session_start, message, todo_state, compaction_state, session_end."""

    type: str | None = None
    id: str | None = None
    timestamp: Stamp = None
    parent_id: str | None = None
    message: Said | None = None
    title: str | None = None
    session_title: str | None = None
    cwd: str | None = None
    version: Any = None
    calling_session_id: str | None = None
    calling_tool_use_id: str | None = None
    summary_text: str | None = None


class TokenUsage(msgspec.Struct, rename="camel"):
    """Of the whole session; input excludes the cached parts."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    thinking_tokens: Count | None = None


class Settings(msgspec.Struct, rename="camel"):
    """<id>.settings.json, written anew after each turn."""

    model: str | None = None
    provider_lock: str | None = None
    provider_lock_timestamp: Stamp = None
    token_usage: TokenUsage | None = None

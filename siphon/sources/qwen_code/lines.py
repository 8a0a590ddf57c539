"""One line of a Qwen Code transcript: a ChatRecord. Its parts are those of the Gemini API."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Content(msgspec.Struct):
    """What was said to or by the model."""

    role: str | None = None
    parts: Any = None


class Usage(msgspec.Struct, rename="camel"):
    """Of one request."""

    prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    cached_content_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    total_token_count: Count | None = None


class ToolResult(msgspec.Struct, rename="camel"):
    """What the harness knows of a call beside the answer to the model."""

    call_id: str | None = None
    status: str | None = None
    result_display: Any = None
    error: Any = None
    duration_ms: float | None = None


class Origin(msgspec.Struct, rename="camel"):
    """Where a record was copied from."""

    session_id: str | None = None
    message_uuid: str | None = None


class Entry(msgspec.Struct, rename="camel"):
    """One line."""

    uuid: str | None = None
    parent_uuid: str | None = None
    session_id: str | None = None
    timestamp: Stamp = None
    type: str | None = None
    subtype: str | None = None
    cwd: str | None = None
    version: str | None = None
    git_branch: str | None = None
    message: Content | None = None
    usage_metadata: Usage | None = None
    model: str | None = None
    tool_call_result: ToolResult | None = None
    system_payload: Any = None
    provenance: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    is_sidechain: bool | None = None
    agent_run_id: str | None = None
    agent_round: int | None = None
    external_input_kind: str | None = None
    forked_from: Origin | None = None

    def name(self) -> str:
        """The record's type with its subtype."""
        return f"{self.type}/{self.subtype}" if self.subtype else str(self.type or "(no type)")


class Meta(msgspec.Struct, rename="camel"):
    """agent-<id>.meta.json beside a subagent's transcript."""

    agent_type: str | None = None
    description: str | None = None
    parent_session_id: str | None = None
    tool_use_id: str | None = None
    parent_agent_id: str | None = None

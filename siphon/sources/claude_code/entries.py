"""The lines of a transcript as typed structs.

Only what is read has a field: everything else (whole files in `originalFile`, base64 data) is skipped
while decoding. A call's input differs from tool to tool, stays raw and is decoded where it is needed.
Fields stand in the order in which lines have them: each is looked for from the one before.
"""

from typing import Annotated, Any

import msgspec

from siphon.sources.claude_code.outcome import NOTHING, Extra

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]  # what no counter exceeds
Stamp = str | int | float | None


class Media(msgspec.Struct, gc=False):
    """The `source` of an image or document."""

    type: str | None = None
    media_type: str | None = None
    data: msgspec.Raw = NOTHING
    url: str | None = None


class Block(msgspec.Struct, gc=False):
    """A content block of any type; `content` is a tool result's."""

    tool_use_id: str | None = None
    type: str | None = None
    content: "list[Block] | str | dict[str, Any] | None" = None
    is_error: bool | None = None
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NOTHING
    tool_name: str | None = None
    source: Media | str | None = None
    title: str | None = None
    url: str | None = None


class CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class ServerTools(msgspec.Struct, gc=False):
    web_search_requests: Count | None = None


class OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: Count | None = None


class Usage(msgspec.Struct, gc=False):
    """`iterations` repeats the totals and is left out."""

    input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    output_tokens: Count | None = None
    server_tool_use: ServerTools | None = None
    service_tier: str | None = None
    cache_creation: CacheCreation | None = None
    inference_geo: str | None = None
    speed: str | None = None
    output_tokens_details: OutputDetails | None = None


class Body(msgspec.Struct, gc=False):
    """The API's message."""

    model: str | None = None
    id: str | None = None
    content: list[Block] | str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Origin(msgspec.Struct, gc=False):
    kind: str | None = None


class Forked(msgspec.Struct, gc=False, rename="camel"):
    session_id: str | None = None
    message_uuid: str | None = None


class Sighted(msgspec.Struct, gc=False, rename="camel"):
    """A subagent's line inside a progress line of its parent."""

    type: str | None = None
    uuid: str | None = None
    timestamp: Stamp = None
    request_id: str | None = None
    message: Body | None = None
    tool_use_result: Extra = None
    is_meta: bool | None = None
    is_api_error_message: bool | None = None


class Progress(msgspec.Struct, gc=False, rename="camel"):
    type: str | None = None
    agent_id: str | None = None
    message: Sighted | str | None = None


class Attached(msgspec.Struct, gc=False, rename="camel"):
    """The payload of an attachment line."""

    type: str | None = None
    prompt: list[Block] | str | None = None
    command_mode: str | None = None
    origin: Origin | None = None
    content: Any = None
    text: str | None = None
    stderr: str | None = None
    hook_event: str | None = None
    hook_name: str | None = None
    exit_code: int | None = None
    blocking_error: Any = None
    message: str | None = None
    description: str | None = None
    status: str | None = None
    delta_summary: str | None = None


class Compaction(msgspec.Struct, gc=False, rename="camel"):
    trigger: str | None = None
    pre_tokens: Count | None = None
    post_tokens: Count | None = None


class Worktree(msgspec.Struct, gc=False, rename="camel"):
    original_cwd: str | None = None
    worktree_path: str | None = None


class Turn(msgspec.Struct, gc=False, rename="camel"):
    """A line of type user or assistant, as nine of ten are: a third of an Entry's time."""

    parent_uuid: str | None = None
    is_sidechain: bool | None = None
    message: Body | None = None
    request_id: str | None = None
    type: str | None = None
    uuid: str | None = None
    timestamp: Stamp = None
    tool_use_result: Extra = None
    source_tool_assistant_uuid: str | None = msgspec.field(default=None, name="sourceToolAssistantUUID")
    entrypoint: str | None = None
    cwd: str | None = None
    session_id: str | None = None
    version: str | None = None
    git_branch: str | None = None
    agent_id: str | None = None
    logical_parent_uuid: str | None = None
    agent_name: str | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_visible_in_transcript_only: bool | None = None
    is_api_error_message: bool | None = None
    tool_denial_kind: str | None = None
    origin: Origin | None = None
    prompt_source: str | None = None
    forked_from: Forked | None = None
    supersedes_uuids: list[str] | None = None
    retracted_message_uuids: list[str] | None = None
    cost_usd: float | None = msgspec.field(default=None, name="costUSD")


class Entry(Turn, gc=False, rename="camel"):
    """A line of any type."""

    subtype: str | None = None
    leaf_uuid: str | None = None
    attachment: Attached | None = None
    data: Progress | None = None
    parent_tool_use_id: str | None = msgspec.field(default=None, name="parentToolUseID")
    content: Any = None
    level: str | None = None
    error: Any = None
    compact_metadata: Compaction | None = None
    hook_errors: list[Any] | None = None
    prevented_continuation: bool | None = None
    stop_reason: str | None = None
    operation: str | None = None
    custom_title: str | None = None
    ai_title: str | None = None
    last_prompt: str | None = None
    summary: str | None = None
    agent_setting: str | None = None
    agent_type: str | None = None
    parent_agent_id: str | None = None
    tool_use_id: str | None = None
    description: str | None = None
    worktree_session: Worktree | None = None
    relocated_cwd: str | None = None
    name: str | None = None
    input: msgspec.Raw = NOTHING
    output: Any = None


def type_of(kind: str, entry: Entry) -> str:
    """A type's name in the tally: of some the type of what they carry belongs to it."""
    match kind:
        case "system":
            part = entry.subtype
        case "attachment":
            part = entry.attachment.type if entry.attachment is not None else None
        case "progress":
            part = entry.data.type if entry.data is not None else None
        case "queue-operation":
            part = entry.operation
        case _:
            return kind
    return f"{kind}/{part or '(none)'}"


class Words(msgspec.Struct, gc=False):
    """Of a content block what tells whether somebody typed it."""

    type: str | None = None
    text: str | None = None


class Said(msgspec.Struct, gc=False):
    content: list[Words] | str | None = None


class Sketch(msgspec.Struct, gc=False, rename="camel"):
    """Of a line what its place in the transcript needs; by name and type a part of Entry."""

    type: str | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    logical_parent_uuid: str | None = None
    session_id: str | None = None
    is_sidechain: bool | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    message: Said | None = None
    forked_from: Forked | None = None
    supersedes_uuids: list[str] | None = None
    retracted_message_uuids: list[str] | None = None

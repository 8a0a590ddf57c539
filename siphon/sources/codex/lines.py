"""One line of a rollout, typed once for all its forms.

`Entry` is the line and, one level down, its payload, and, below an item_completed event, its item: old
files write without an envelope what newer ones wrap. Fields whose type differs by version or record are
`Any` and checked where they are read, so that a strange field loses itself and not its line. What no
field names (encrypted_content, replacement_history, rate_limits …) is skipped without being decoded.
"""

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Part(msgspec.Struct, gc=False):
    """A block of a message or of a tool's output."""

    type: Any = None
    text: Any = None
    image_url: Any = None


class Outcome(msgspec.Struct, gc=False):
    """A tool's output as an object: of the tool itself, or one block."""

    type: Any = None
    text: Any = None
    content: str | list[Part | str] | None = None
    success: Any = None


class Usage(msgspec.Struct, gc=False):
    """Tokens; input includes cached and cache_write, output includes reasoning."""

    input_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    cache_write_input_tokens: Count | None = None
    output_tokens: Count | None = None
    reasoning_output_tokens: Count | None = None
    total_tokens: Count | None = None


class Info(msgspec.Struct, gc=False):
    """What a token_count tells; null where only rate limits were refreshed."""

    total_token_usage: Usage | None = None
    last_token_usage: Usage | None = None


class Entry(msgspec.Struct, gc=False):
    """A line, a payload or an item; see the module."""

    timestamp: Any = None
    type: Any = None
    payload: "Entry | None" = None

    # response items
    id: Any = None
    role: Any = None
    content: str | list[Part | str] | None = None
    summary: Any = None
    name: Any = None
    namespace: Any = None
    arguments: Any = None
    call_id: Any = None
    output: str | list[Part | str] | Outcome | None = None
    status: Any = None
    input: Any = None
    action: Any = None
    author: Any = None
    function: Any = None
    result: Any = None
    revised_prompt: Any = None

    # events
    message: Any = None
    text: Any = None
    info: Info | None = None
    turn_id: Any = None
    reason: Any = None
    images: Any = None
    local_images: Any = None
    num_turns: Any = None
    thread_name: Any = None
    success: Any = None
    changes: Any = None
    stdout: Any = None
    stderr: Any = None
    exit_code: Any = None
    duration: Any = None
    aggregated_output: Any = None
    command: Any = None
    parsed_cmd: Any = None
    path: Any = None
    invocation: Any = None
    server: Any = None
    tool: Any = None
    query: Any = None
    results: Any = None
    item: "Entry | None" = None
    summary_text: Any = None
    raw_content: Any = None
    content_items: Any = None
    callId: Any = None  # noqa: N815 - as logged
    error: Any = None
    goal: Any = None
    review_output: Any = None
    user_facing_hint: Any = None
    thread_settings: Any = None
    target_item_id: Any = None
    rationale: Any = None
    new_thread_id: Any = None
    agent_thread_id: Any = None
    event_id: Any = None
    kind: Any = None

    # session_meta and turn_context
    cwd: Any = None
    model: Any = None
    originator: Any = None
    cli_version: Any = None
    source: Any = None
    thread_source: Any = None
    model_provider: Any = None
    forked_from_id: Any = None
    parent_thread_id: Any = None
    agent_nickname: Any = None
    agent_role: Any = None
    agent_path: Any = None
    git: Any = None

    # the form without envelope
    record_type: Any = None
    created_at: Any = None


class MessageItem(msgspec.Struct, gc=False, tag="message"):
    id: Any = None
    role: Any = None
    content: str | list[Part | str] | None = None
    message: Any = None


class ReasoningItem(msgspec.Struct, gc=False, tag="reasoning"):
    id: Any = None
    summary: list[Part | str] | None = None
    content: str | list[Part | str] | None = None


class CallItem(msgspec.Struct, gc=False, tag="function_call"):
    id: Any = None
    name: Any = None
    namespace: Any = None
    arguments: Any = None
    call_id: Any = None
    status: Any = None
    function: Any = None


class CustomItem(msgspec.Struct, gc=False, tag="custom_tool_call"):
    id: Any = None
    name: Any = None
    input: Any = None
    call_id: Any = None
    status: Any = None


class OutputItem(msgspec.Struct, gc=False, tag="function_call_output"):
    call_id: Any = None
    output: str | list[Part | str] | Outcome | None = None
    result: Any = None


class CustomOutputItem(msgspec.Struct, gc=False, tag="custom_tool_call_output"):
    call_id: Any = None
    output: str | list[Part | str] | Outcome | None = None
    result: Any = None


class TokenEvent(msgspec.Struct, gc=False, tag="token_count"):
    info: Info | None = None


class AgentMessage(msgspec.Struct, gc=False, tag="agent_message"):
    """The event; an item of this name comes from another agent."""

    id: Any = None
    message: Any = None
    author: Any = None
    content: str | list[Part | str] | None = None


class ThoughtEvent(msgspec.Struct, gc=False, tag="agent_reasoning"):
    text: Any = None


class UserEvent(msgspec.Struct, gc=False, tag="user_message"):
    message: Any = None
    images: Any = None
    local_images: Any = None


class StartEvent(msgspec.Struct, gc=False, tag="task_started"):
    turn_id: Any = None


class EndEvent(msgspec.Struct, gc=False, tag="task_complete"):
    error: Any = None


class PatchEvent(msgspec.Struct, gc=False, tag="patch_apply_end"):
    id: Any = None
    call_id: Any = None
    callId: Any = None  # noqa: N815 - as logged
    changes: Any = None
    status: Any = None
    success: Any = None
    stdout: Any = None
    stderr: Any = None


Common = (
    MessageItem
    | ReasoningItem
    | CallItem
    | CustomItem
    | OutputItem
    | CustomOutputItem
    | TokenEvent
    | AgentMessage
    | ThoughtEvent
    | UserEvent
    | StartEvent
    | EndEvent
    | PatchEvent
)


class Wrapped(msgspec.Struct, gc=False):
    """A line of one of the types that nearly all lines have: a third of an Entry's time.

    What does not fit is decoded as Entry, thus nothing but time depends on it.
    """

    type: Literal["response_item", "event_msg"]
    payload: Common
    timestamp: Any = None
    created_at: Any = None


class Document(msgspec.Struct, gc=False):
    """A rollout-*.json of early 2025: one document."""

    session: Entry | None = None
    items: list[msgspec.Raw] = []


class Name(msgspec.Struct, gc=False):
    """A line of session_index.jsonl."""

    id: Any = None
    thread_name: Any = None


class Mark(msgspec.Struct, gc=False):
    """As much of a line as tells a copied one from an own one."""

    timestamp: Any = None
    type: Any = None
    payload: "MarkPayload | None" = None


class MarkPayload(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    turn_id: Any = None


class Bare(msgspec.Struct, gc=False):
    """A line's type and the bytes of its payload."""

    type: Any = None
    payload: msgspec.Raw = msgspec.Raw()


COMMON = msgspec.json.Decoder(Wrapped, strict=False)
ENTRY = msgspec.json.Decoder(Entry, strict=False)
DOCUMENT = msgspec.json.Decoder(Document, strict=False)
NAME = msgspec.json.Decoder(Name)
MARK = msgspec.json.Decoder(Mark)
BARE = msgspec.json.Decoder(Bare)

WRAPPED = ("response_item", "event_msg", "turn_context", "session_meta", "compacted")

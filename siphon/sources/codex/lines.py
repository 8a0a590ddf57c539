"""One line of a rollout, typed once for all its forms.

`Entry` is the line and, one level down, its payload, and, below an item_completed event, its item: old
files write without an envelope what newer ones wrap. Fields whose type differs by version or record are
`Any` and checked where they are read, so that a strange field loses itself and not its line. What no
field names (encrypted_content, replacement_history, rate_limits …) is skipped without being decoded.
"""

from typing import Annotated, Any

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


ENTRY = msgspec.json.Decoder(Entry, strict=False)
DOCUMENT = msgspec.json.Decoder(Document, strict=False)
NAME = msgspec.json.Decoder(Name)
MARK = msgspec.json.Decoder(Mark)
BARE = msgspec.json.Decoder(Bare)

WRAPPED = ("response_item", "event_msg", "turn_context", "session_meta", "compacted")

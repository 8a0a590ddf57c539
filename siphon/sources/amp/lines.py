"""What a thread's document holds, as far as it is read."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Usage(msgspec.Struct, rename="camel"):
    """Of one response; the three kinds of input are disjoint."""

    model: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    timestamp: Stamp = None


class State(msgspec.Struct):
    type: str | None = None


class Sent(msgspec.Struct, rename="camel"):
    sent_at: Stamp = None


class Message(msgspec.Struct, rename="camel"):
    """One message; an assistant's is one response."""

    role: str | None = None
    message_id: Any = None  # its index in the thread
    content: Any = None
    text: str | None = None
    usage: Usage | None = None
    state: State | None = None
    meta: Sent | None = None
    created_at: Stamp = None


class LedgerTokens(msgspec.Struct, rename="camel"):
    input: Count | None = None
    output: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None


class LedgerEvent(msgspec.Struct, rename="camel"):
    """An entry of the older usage ledger."""

    id: str | None = None
    timestamp: Stamp = None
    model: str | None = None
    tokens: LedgerTokens | None = None
    to_message_id: Any = None


class Ledger(msgspec.Struct):
    events: list[LedgerEvent] | None = None


class Thread(msgspec.Struct, rename="camel"):
    """The document."""

    v: int | None = None
    id: str | None = None
    created: Stamp = None
    title: str | None = None
    messages: list[msgspec.Raw] | None = None
    usage_ledger: Ledger | None = None
    env: Any = None
    meta: Any = None
    main_thread_id: Any = msgspec.field(default=None, name="mainThreadID")
    forked_from: Any = None
    relationships: Any = None

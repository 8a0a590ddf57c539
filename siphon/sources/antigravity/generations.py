"""What the model was asked and what it took: one generation is one request."""

from typing import Any, NamedTuple

from siphon.sources._loose import count, items, mapping, stamp, text
from siphon.sources.antigravity import wire


class Generation(NamedTuple):
    id: str  # the provider's response id, else made of the conversation and the row
    steps: tuple[int, ...]  # that came of it
    model: str | None
    ts: int | None
    input: int
    cache_read: int
    cache_write: int
    output: int
    thinking: int


def of_blob(blob: bytes, fallback: str) -> Generation | None:
    """A row of gen_metadata; None: it tells no usage. Fields that are left out are zero."""
    row = wire.fields(blob)
    chat = wire.message(row, 1)
    usage = wire.message(chat, 4)
    if not usage:
        return None
    count = {field: wire.number(usage, field) or 0 for field in (2, 3, 4, 5, 9)}
    return Generation(
        id=wire.words(usage, 11) or fallback,
        steps=tuple(wire.numbers(row, 2)),
        model=model_name(wire.words(chat, 21)) or wire.words(chat, 19),
        ts=wire.moment(wire.message(chat, 9), 4),
        input=count[2],
        cache_read=count[5],
        cache_write=count[4],
        output=count[3],
        thinking=count[9],
    )


def of_document(told: dict[str, Any], fallback: str) -> Generation | None:
    """An element of a `.trajectory.json`'s generatorMetadata."""
    chat = mapping(told.get("chatModel"))
    usage = mapping(chat.get("usage"))
    if all(count(usage.get(field)) is None for field in ("inputTokens", "outputTokens")):
        return None
    indices = [count(index) for index in items(told.get("stepIndices"))]
    return Generation(
        id=text(usage.get("responseId")) or fallback,
        steps=tuple(index for index in indices if index is not None),
        model=text(chat.get("responseModel")) or text(chat.get("model")),
        ts=stamp(mapping(chat.get("chatStartMetadata")).get("createdAt")),
        input=count(usage.get("inputTokens")) or 0,
        cache_read=count(usage.get("cacheReadTokens")) or 0,
        cache_write=count(usage.get("cacheWriteTokens")) or 0,
        output=count(usage.get("outputTokens")) or 0,
        thinking=count(usage.get("thinkingOutputTokens")) or 0,
    )


def model_name(shown: str | None) -> str | None:
    """`Gemini 3.1 Pro (High)` as prices name it: gemini-3.1-pro. The slugs beside it name no version."""
    if not shown:
        return None
    return "-".join(shown.partition("(")[0].split()).lower() or None

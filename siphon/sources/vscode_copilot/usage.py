"""A response's tokens, as far as VS Code tells them."""

from typing import Any

from siphon.records import Request, ToolCall
from siphon.sources._loose import count, mapping, text
from siphon.sources.vscode_copilot.turn import Turn


def bill(turn: Turn, first: int) -> None:
    """A response's tokens: of the model's last round only, cached ones among the input."""
    info = turn.asked.info
    metadata = mapping(mapping(info.result).get("metadata"))
    usage = mapping(info.usage)
    prompt = _first(usage.get("promptTokens"), metadata.get("promptTokens"), info.prompt_tokens)
    output = _first(
        usage.get("completionTokens"),
        usage.get("outputTokens"),
        metadata.get("outputTokens"),
        info.completion_tokens,
    )
    rows = [turn.rows.rows[seq] for seq in range(first, turn.rows.last + 1)]
    if prompt is None and output is None and not any(row.request == turn.reply for row in rows):
        return
    several = turn.known.many > 1 or any(isinstance(row, ToolCall) for row in rows)
    vendor, slash, _ = (text(info.model_id) or "").partition("/")
    turn.rows.bill(
        Request(
            session=turn.rows.native_id,
            native_id=turn.reply,
            seq=max(0, min(first, turn.rows.last)),
            model=turn.model,
            ts=turn.ts,
            input_tokens=prompt,
            output_tokens=output,
            incomplete=several or prompt is None,
            provider=vendor if slash else None,
            offset=turn.asked.offset,
            length=turn.asked.length,
        )
    )


def _first(*values: Any) -> int | None:
    return next((n for value in values if (n := count(value)) is not None), None)

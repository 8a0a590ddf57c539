"""Usage: of each response, else of the older ledger's entry for it; never of both."""

from collections.abc import Iterator

from siphon.lines import Line
from siphon.records import Request
from siphon.sources.amp.lines import LedgerEvent, Usage
from siphon.times import millis

_OPENAI = ("gpt-", "o1", "o3", "o4", "codex")


def request(
    session: str, own: str, seq: int, line: Line, ts: int | None, usage: Usage | None
) -> Request:
    """A response's request; without counts its usage is unknown."""
    base = Request(session, own, seq, ts=ts, offset=line.offset, length=len(line.data))
    if usage is None:
        return base._replace(incomplete=True)
    fresh, written = usage.input_tokens, usage.cache_creation_input_tokens
    if (usage.model or "").startswith(_OPENAI) and written is not None:
        # OpenAI sells no cache writes: Amp files the uncached input there.
        fresh, written = (fresh or 0) + written, 0
    return base._replace(
        model=usage.model,
        input_tokens=fresh,
        cache_read_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=written,
        output_tokens=usage.output_tokens,
    )


def of_ledger(events: list[LedgerEvent]) -> Iterator[tuple[str, Usage]]:
    """The ledger's entries as usage, by the message they paid for."""
    for event in events:
        if event.tokens is not None and event.to_message_id is not None:
            yield (
                str(event.to_message_id),
                Usage(
                    event.model,
                    event.tokens.input,
                    event.tokens.output,
                    event.tokens.cache_creation_input_tokens,
                    event.tokens.cache_read_input_tokens,
                    millis(event.timestamp),
                ),
            )

"""The messages that tell what was spent → requests."""

from collections.abc import Iterator
from typing import Any

import msgspec

from siphon.records import Message, Record, Request
from siphon.sources._loose import mapping, nanousd, text
from siphon.sources.cline.files import Element
from siphon.sources.cline.state import Asked, State
from siphon.sources.cline.usage import spent

_ANY = msgspec.json.Decoder()
SPENDING = (
    *("say/api_req_started", "say/api_req_finished"),
    *("say/deleted_api_reqs", "say/subagent_usage"),
)


def decoded(words: str) -> dict[str, Any] | None:
    """The object that a message's text is; None: it is no JSON object."""
    try:
        value = _ANY.decode(words)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def spending(state: State, kind: str, element: Element, words: str, ts: int | None) -> Iterator[Record]:
    """A message of SPENDING. A request waits for the next: old builds tell its numbers later."""
    told = decoded(words)
    if told is None:
        if words.strip():  # old builds: an error's text
            yield state.message(element, ts, "system", "error", words)
    elif kind == "say/api_req_finished" and state.asked:
        state.asked = state.asked._replace(told={**state.asked.told, **told})
    elif kind in ("say/deleted_api_reqs", "say/subagent_usage"):
        # Sums of turns that were deleted, or of subagents that have no log.
        if spent(told):
            yield _request(state, Asked(state.key(element, ts), state.last_seq, ts, told, element), True)
    else:
        yield from billed(state)
        state.asked = Asked(state.key(element, ts), state.last_seq + 1, ts, told, element)
        state.message_seq = None
        yield from _cancelled(state, element, told, ts)


def billed(state: State) -> Iterator[Request]:
    """The running request, if its numbers came."""
    if state.asked and spent(state.asked.told):
        yield _request(state, state.asked, False)
    state.asked = None


def condensed(state: State, element: Element, ts: int | None) -> Iterator[Request]:
    """What Roo paid for a summary: a cost without tokens."""
    cost = nanousd(mapping(element.value.get("contextCondense")).get("cost"))
    if cost is not None:
        model, provider = state.model_at(ts)
        yield Request(
            session=state.task,
            native_id=state.key(element, ts),
            seq=state.last_seq,
            model=model,
            ts=ts,
            reported_nanousd=cost,
            provider=provider,
            offset=element.offset,
            length=element.length,
        )


def _request(state: State, asked: Asked, aggregate: bool) -> Request:
    usage = state.usage(asked.told)
    info = mapping(asked.element.value.get("modelInfo"))
    model, provider = (None, None) if aggregate else state.model_at(asked.ts)
    return Request(
        session=state.task,
        native_id=asked.native_id,
        seq=asked.seq,
        model=text(info.get("modelId")) or model,
        ts=asked.ts,
        input_tokens=usage.input,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
        reported_nanousd=usage.nanousd,
        incomplete=text(asked.told.get("cancelReason")) is not None,
        aggregate=aggregate,
        provider=text(asked.told.get("inferenceProvider")) or text(info.get("providerId")) or provider,
        offset=asked.element.offset,
        length=asked.element.length,
    )


def _cancelled(
    state: State, element: Element, told: dict[str, Any], ts: int | None
) -> Iterator[Message]:
    reason = text(told.get("cancelReason"))
    if reason:
        failed = text(told.get("streamingFailedMessage"))
        yield state.message(element, ts, "system", "error" if failed else "notice", failed or reason)

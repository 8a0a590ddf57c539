"""One model response, gathered from its lines: what it used and whether its final usage ever came."""

from collections.abc import Sequence

import msgspec

from siphon.records import Request
from siphon.sources.claude_code.entries import Usage

SYNTHETIC = "<synthetic>"  # the model of lines that the harness made up
_CHARS_PER_TOKEN = 5  # no finished response of the logs looked at has more than 4.1
_CHARS_PER_CALL = 100  # what a tool call's frame costs, as characters; at least 40 tokens in those logs
_PLACEHOLDER = 8  # tokens; the shortest finished response in those logs has 11
_TIERS: dict[str | None, str] = {name: name for name in ("batch", "priority", "flex", "fast")}
_USUAL = (None, "standard")
_ROW = tuple.__new__  # a row by place, not by name, costs a fifth
_ANYWHERE = {"not_available", "global", "", None}


class Answer(msgspec.Struct, gc=False):
    """A response's lines so far."""

    native_id: str | None
    seq: int
    model: str | None
    ts: int | None
    offset: int
    length: int
    request_id: str | None = None
    usages: list[Usage] = []  # as its lines tell it, early ones in part; no two neighbours are alike
    searched: int = 0  # by the WebSearch tool, whose searches the usage leaves out
    cost_usd: float | None = None
    finished: bool = False  # a line states why it stopped
    chars: int = 0
    calls: int = 0


def charge(answer: Answer, cost_usd: float) -> None:
    """Take in what a line says that the response cost."""
    if cost_usd >= 0:
        answer.cost_usd = max(answer.cost_usd or 0.0, cost_usd)


def request(answer: Answer, session: str, nested: bool) -> Request | None:
    """What was billed; None: nothing was."""
    usages = answer.usages
    counts = _count(usages[0]) if len(usages) == 1 else _largest(usages)
    fresh, read, short, hour, output, reasoning, searches = counts
    if answer.searched and not searches:
        searches = answer.searched
    if answer.model == SYNTHETIC or not (
        output or fresh or read or short or hour or searches or answer.cost_usd
    ):
        return None
    cost = None if answer.cost_usd is None else round(answer.cost_usd * 1e9)
    tier = geo = None
    for usage in usages:
        if (
            usage.service_tier not in _USUAL
            or usage.speed not in _USUAL
            or usage.inference_geo not in _ANYWHERE
        ):
            tier, geo = _price_names(usages)
            break
    return _ROW(Request, (
        session, answer.native_id, answer.seq, answer.model, answer.ts, fresh, read, short, hour, output,
        reasoning, searches, cost, not answer.finished and _incomplete(answer, output), nested, False,
        tier, geo, None, answer.offset, answer.length,
    ))  # fmt: skip


def _largest(usages: list[Usage]) -> Sequence[int | None]:
    """The largest of each: every line repeats the usage so far."""
    largest = _count(usages[0]) if usages else [None] * 7
    for usage in usages[1:]:
        largest = [
            count if known is None or (count is not None and count > known) else known
            for known, count in zip(largest, _count(usage), strict=True)
        ]
    return largest


def _count(usage: Usage) -> Sequence[int | None]:
    """Tokens: input, cache read, cache written, the same for an hour, output, reasoning; searches."""
    details, server = usage.output_tokens_details, usage.server_tool_use
    flat, parts = usage.cache_creation_input_tokens, usage.cache_creation
    short, hour = flat, None
    if parts is not None:
        # What the flat count has beyond the two classes is priced as the shorter-lived one.
        hour = parts.ephemeral_1h_input_tokens
        short, beyond = parts.ephemeral_5m_input_tokens or 0, (flat or 0) - (hour or 0)
        if beyond > short:
            short = beyond
    return (
        usage.input_tokens, usage.cache_read_input_tokens, short, hour, usage.output_tokens,
        None if details is None else details.thinking_tokens,
        None if server is None else server.web_search_requests,
    )  # fmt: skip


def _price_names(usages: list[Usage]) -> tuple[str | None, str | None]:
    """The first tier and the last region that are priced apart."""
    tier = geo = None
    for usage in usages:
        if tier is None:
            tier = _TIERS.get(usage.speed) or _TIERS.get(usage.service_tier)
        if usage.inference_geo not in _ANYWHERE:
            geo = usage.inference_geo
    return tier, geo


def _incomplete(answer: Answer, output: int | None) -> bool:
    """Whether only the stream's opening usage is there, whose output is a placeholder of a few tokens.

    Releases up to 2.1.x leave `stop_reason` null also on finished responses, so that the text must tell:
    a placeholder is too small for what was said. Lines that count differently are of a finished one.
    """
    if answer.finished or output is None or answer.cost_usd is not None:
        return False
    if len(answer.usages) > 1:
        outputs = {usage.output_tokens for usage in answer.usages}
        if len(outputs - {None}) > 1:
            return False
    said = answer.chars + answer.calls * _CHARS_PER_CALL
    return output <= _PLACEHOLDER or said > output * _CHARS_PER_TOKEN

"""One model response, gathered from its lines: what it used and whether its final usage ever came."""

import msgspec

from siphon.records import Request
from siphon.sources.claude_code.entries import Usage

SYNTHETIC = "<synthetic>"  # the model of lines that the harness made up
_CHARS_PER_TOKEN = 5  # no finished response of the logs looked at has more than 4.1
_CHARS_PER_CALL = 100  # what a tool call's frame costs, as characters; at least 40 tokens in those logs
_PLACEHOLDER = 8  # tokens; the shortest finished response in those logs has 11
_TIERS = {"batch", "priority", "flex", "fast"}
_ANYWHERE = {"not_available", "global", ""}


class Answer(msgspec.Struct, gc=False):
    """A response's lines so far. Counts are maxima: every line repeats the usage, early ones in part."""

    native_id: str | None
    seq: int
    model: str | None
    ts: int | None
    offset: int
    length: int
    request_id: str | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    web_searches: int | None = None
    searched: int = 0  # by the WebSearch tool, whose searches the usage leaves out
    cost_usd: float | None = None
    tier: str | None = None
    geo: str | None = None
    finished: bool = False  # a line states why it stopped, or a later line counts more than an earlier
    chars: int = 0
    calls: int = 0
    last: Usage | None = None  # of its last line


def fold(answer: Answer, usage: Usage | None, cost_usd: float | None, stop_reason: str | None) -> None:
    """Take in one more line."""
    if stop_reason:
        answer.finished = True
    if cost_usd is not None and cost_usd >= 0:
        answer.cost_usd = max(answer.cost_usd or 0.0, cost_usd)
    if usage is None or usage == answer.last:
        return  # most lines repeat it
    answer.last = usage
    before = answer.output_tokens
    if before is not None and usage.output_tokens is not None and usage.output_tokens != before:
        answer.finished = True
    _raise(answer, usage)
    _name_price(answer, usage)


def _raise(answer: Answer, usage: Usage) -> None:
    """Take the larger counts; written out, for two thirds of the lines of a model come here."""
    details, server = usage.output_tokens_details, usage.server_tool_use
    count, known = usage.input_tokens, answer.input_tokens
    if count is not None and (known is None or count > known):
        answer.input_tokens = count
    count, known = usage.cache_read_input_tokens, answer.cache_read_tokens
    if count is not None and (known is None or count > known):
        answer.cache_read_tokens = count
    count, known = usage.output_tokens, answer.output_tokens
    if count is not None and (known is None or count > known):
        answer.output_tokens = count
    if details is not None:
        answer.reasoning_tokens = most(answer.reasoning_tokens, details.thinking_tokens)
    if server is not None:
        answer.web_searches = most(answer.web_searches, server.web_search_requests)
    flat, parts = usage.cache_creation_input_tokens, usage.cache_creation
    if parts is None:
        answer.cache_write_tokens = most(answer.cache_write_tokens, flat)
        return
    # What the flat count has beyond the two classes is priced as the shorter-lived one.
    hour, short = parts.ephemeral_1h_input_tokens, parts.ephemeral_5m_input_tokens or 0
    rest = (flat or 0) - (hour or 0)
    known = answer.cache_write_1h_tokens
    if hour is not None and (known is None or hour > known):
        answer.cache_write_1h_tokens = hour
    answer.cache_write_tokens = most(answer.cache_write_tokens, short if short > rest else rest)


def _name_price(answer: Answer, usage: Usage) -> None:
    if usage.speed in _TIERS or usage.service_tier in _TIERS:
        stated = usage.speed if usage.speed in _TIERS else usage.service_tier
        answer.tier = answer.tier or stated
    if usage.inference_geo is not None and usage.inference_geo not in _ANYWHERE:
        answer.geo = usage.inference_geo


def request(answer: Answer, session: str, nested: bool) -> Request | None:
    """What was billed; None: nothing was."""
    searches = answer.web_searches
    if answer.searched and not searches:
        searches = answer.searched
    if answer.model == SYNTHETIC or not (_used(answer) or searches or answer.cost_usd):
        return None
    cost = None if answer.cost_usd is None else round(answer.cost_usd * 1e9)
    # By place, not by name, a row of this width costs a fifth.
    return tuple.__new__(Request, (
        session, answer.native_id, answer.seq, answer.model, answer.ts,
        answer.input_tokens, answer.cache_read_tokens, answer.cache_write_tokens,
        answer.cache_write_1h_tokens, answer.output_tokens, answer.reasoning_tokens, searches,
        cost, _incomplete(answer), nested, False, answer.tier, answer.geo, None,
        answer.offset, answer.length,
    ))  # fmt: skip


def _used(answer: Answer) -> bool:
    return bool(
        answer.output_tokens
        or answer.input_tokens
        or answer.cache_read_tokens
        or answer.cache_write_tokens
        or answer.cache_write_1h_tokens
    )


def _incomplete(answer: Answer) -> bool:
    """Whether only the stream's opening usage is there, whose output is a placeholder of a few tokens.

    Releases up to 2.1.x leave `stop_reason` null also on finished responses, so that the text must tell:
    a placeholder is too small for what was said.
    """
    if answer.finished or answer.output_tokens is None or answer.cost_usd is not None:
        return False
    said = answer.chars + answer.calls * _CHARS_PER_CALL
    return answer.output_tokens <= _PLACEHOLDER or said > answer.output_tokens * _CHARS_PER_TOKEN


def most(one: int | None, other: int | None) -> int | None:
    """The larger of two counts, either of which may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one if one > other else other

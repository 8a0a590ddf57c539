"""Usage → requests: token classes made disjoint, the tool's own cost beside them."""

from typing import Any, NamedTuple

from siphon.sources._loose import count, mapping, nanousd, number

# Until pi 0.12.5 the input of OpenAI's models still held the cached tokens (its commit of this moment
# says so); those logs have no totalTokens either.
_OPENAI_FIXED = 1_764_778_282_000  # 2025-12-03T16:11:22Z


class Usage(NamedTuple):
    """Token counts, disjoint, in the order that a Request has them; None: not said."""

    input: int | None
    cache_read: int | None
    cache_write: int | None
    cache_write_1h: int | None
    output: int | None
    reasoning: int | None
    searches: int | None
    nanousd: int | None


def usage_of(usage: dict[str, Any], api: Any, ts: int | None) -> Usage:
    """`input` is without cache, `output` with reasoning; an hour's writes are part of cacheWrite."""
    read, written = count(usage.get("cacheRead")), count(usage.get("cacheWrite"))
    hour = count(usage.get("cacheWrite1h"))
    if hour is None and "cttl" in usage:
        hour = count(mapping(usage["cttl"]).get("ephemeral1h"))
    if hour is not None and written is not None:
        hour = min(hour, written)
        written -= hour
    given = count(usage.get("input"))
    if given is not None and _holds_cache(usage, api, ts):
        given = max(given - (read or 0), 0)
    reasoning = count(usage.get("reasoning"))
    if reasoning is None:
        reasoning = count(usage.get("reasoningTokens"))
    output = count(usage.get("output"))
    searches = count(mapping(usage["server"]).get("webSearch")) if "server" in usage else None
    cost = _cost(usage, any((given, read, written, hour, output)))
    return Usage(given, read, written, hour, output, reasoning, searches, cost)


def _holds_cache(usage: dict[str, Any], api: Any, ts: int | None) -> bool:
    openai = isinstance(api, str) and api.startswith("openai")
    return openai and "totalTokens" not in usage and ts is not None and ts < _OPENAI_FIXED


def _cost(usage: dict[str, Any], spent: bool) -> int | None:
    """Zero beside tokens means a subscription or a model without price: not reported."""
    cost = mapping(usage.get("cost"))
    total = nanousd(cost.get("total"))
    if total is None:
        parts = [number(cost.get(key)) for key in ("input", "output", "cacheRead", "cacheWrite")]
        said = [part for part in parts if part is not None]
        total = nanousd(sum(said)) if said else None
    return None if total == 0 and spent else total

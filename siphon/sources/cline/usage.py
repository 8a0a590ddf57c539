"""api_req_started → a request: the four numbers made disjoint by the extension's own rule."""

from typing import Any, NamedTuple

from siphon.sources._loose import count, nanousd, text

_FIELDS = ("tokensIn", "tokensOut", "cacheWrites", "cacheReads")


class Usage(NamedTuple):
    """Token counts, disjoint; None: not said."""

    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    nanousd: int | None


def spent(told: dict[str, Any]) -> bool:
    """Whether any tokens are told: a request without is cancelled, or not yet answered."""
    return any(count(told.get(field)) is not None for field in _FIELDS)


def exclusive(told: dict[str, Any]) -> Usage:
    """Cline: tokensIn is without cache, but with OpenAI's protocol it holds the cached tokens."""
    given, out, written, read = [count(told.get(field)) for field in _FIELDS]
    if text(told.get("apiProtocol")) == "openai" and given is not None:
        given = max(given - (read or 0), 0)
    return Usage(given, read, written, out, nanousd(told.get("cost")))


def inclusive(told: dict[str, Any]) -> Usage:
    """Roo, Kilo: tokensIn is the whole input, unless it is less than its cached parts (old builds)."""
    given, out, written, read = [count(told.get(field)) for field in _FIELDS]
    cached = (written or 0) + (read or 0)
    if given is not None and given >= cached:
        given -= cached
    return Usage(given, read, written, out, nanousd(told.get("cost")))

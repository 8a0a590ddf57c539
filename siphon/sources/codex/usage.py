"""Running totals → what each request used."""

import msgspec

from siphon.sources.codex.lines import Info, Usage


class Totals(msgspec.Struct, frozen=True, gc=False):
    """Tokens as logged: `input` includes `cached` and `written`, `output` includes `reasoning`."""

    input: int = 0
    cached: int = 0
    written: int | None = None
    output: int = 0
    reasoning: int | None = None
    total: int = 0

    @property
    def spent(self) -> int:
        return self.input + self.output


class Count(msgspec.Struct, frozen=True, gc=False):
    """What one token_count means: tokens to bill (None: no new ones), the new total and last usage."""

    tokens: Totals | None
    running: Totals | None
    last: Totals | None
    several: bool = False  # the delta spans more requests than the last one


def count(info: Info, running: Totals | None, last: Totals | None, copied: bool) -> Count:
    """Apply the counting rule to one token_count.

    `running` and `last` are the total and the last usage of the token_count before it. `copied`: the
    session continues another's totals (a fork, a subagent), so its first total is not its own.
    """
    total, now = _totals(info.total_token_usage), _totals(info.last_token_usage)
    if total is None:
        if now is None or now == last or not now.spent:
            return Count(None, running, now)
        return Count(now, now if running is None else _sum(running, now), now)
    if running is None:
        own = now is not None and copied and now.spent < total.spent
        tokens = now if own and now is not None else total
    else:
        grown = _since(running, total)
        tokens = grown if grown is not None else now if now is not None else total
    spent = tokens.input + tokens.output
    several = now is not None and spent > now.input + now.output > 0
    return Count(tokens if spent or tokens.cached else None, total, now, several)


def _totals(usage: Usage | None) -> Totals | None:
    if usage is None:
        return None
    return Totals(
        usage.input_tokens or 0,
        usage.cached_input_tokens or 0,
        usage.cache_write_input_tokens,
        usage.output_tokens or 0,
        usage.reasoning_output_tokens,
        usage.total_tokens or 0,
    )


def _since(before: Totals, after: Totals) -> Totals | None:
    """What was used between two totals; None: one of the counts fell, so they were reset."""
    written = (after.written or 0) - (before.written or 0)
    reasoning = (after.reasoning or 0) - (before.reasoning or 0)
    fresh, cached = after.input - before.input, after.cached - before.cached
    output, total = after.output - before.output, after.total - before.total
    if fresh < 0 or cached < 0 or written < 0 or output < 0 or reasoning < 0 or total < 0:
        return None
    return Totals(
        fresh,
        cached,
        None if after.written is None else written,
        output,
        None if after.reasoning is None else reasoning,
        total,
    )


def _sum(one: Totals, other: Totals) -> Totals:
    return Totals(
        input=one.input + other.input,
        cached=one.cached + other.cached,
        written=None if one.written is None else one.written + (other.written or 0),
        output=one.output + other.output,
        reasoning=None if one.reasoning is None else one.reasoning + (other.reasoning or 0),
        total=one.total + other.total,
    )

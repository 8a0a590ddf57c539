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
        return Count(now, now if running is None else _combined(running, now, 1), now)
    grown = running is not None and _grown(running, total)
    if grown and running is not None and _grown(total, running):
        return Count(None, total, now)
    if running is None:
        own = now is not None and copied and now.spent < total.spent
        tokens = now if own and now is not None else total
    elif grown:
        tokens = _combined(total, running, -1)
    else:
        tokens = now if now is not None else total
    several = now is not None and now.spent > 0 and tokens.spent > now.spent
    return Count(tokens if tokens.spent or tokens.cached else None, total, now, several)


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


def _grown(before: Totals, after: Totals) -> bool:
    return (
        after.input >= before.input
        and after.cached >= before.cached
        and (after.written or 0) >= (before.written or 0)
        and after.output >= before.output
        and (after.reasoning or 0) >= (before.reasoning or 0)
        and after.total >= before.total
    )


def _combined(one: Totals, other: Totals, sign: int) -> Totals:
    return Totals(
        input=one.input + sign * other.input,
        cached=one.cached + sign * other.cached,
        written=None if one.written is None else one.written + sign * (other.written or 0),
        output=one.output + sign * other.output,
        reasoning=None if one.reasoning is None else one.reasoning + sign * (other.reasoning or 0),
        total=one.total + sign * other.total,
    )

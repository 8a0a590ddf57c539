"""What a request costs: the price of its model at its time, and exact arithmetic.

Prices are nano-USD per million tokens, costs nano-USD, multipliers millionths: integers all of them.
"""

from siphon.model_names import readings
from siphon.price_table import (
    ANYONE,
    PLAIN,
    Candidates,
    Match,
    Price,
    PriceTable,
    Spans,
    load_prices,
)

__all__ = ["PLAIN", "Match", "Price", "PriceTable", "cost_nanousd", "find", "load_prices"]

_DAY = 24 * 60  # minutes
_HOUR = 3_600_000  # ms
_MILLION = 1_000_000
_MEMO_LIMIT = 4096  # names, or hours; a log can hold any


# --- finding ---


def find(
    table: PriceTable,
    model: str | None,
    ts: int | None,
    provider: str | None = None,
    tier: str | None = None,
    geo: str | None = None,
) -> Match | None:
    """The price of a model at a moment (None: when the table was made); None if there is none.

    `provider` is who billed the request, as logged: its own price wins, else that of the model's maker.
    `tier` is fast, batch, priority or flex; `geo` is us where the log says so. A tier that has no price
    costs the plain one, and the rule says so.
    """
    if model is None:
        return None
    found = table.memo.get((model, provider)) or _candidates(table, model, provider)
    if found is None:
        return None
    if not found.steady or ts is None:
        return _match(table, found, ts, tier, geo)
    key = (ts // _HOUR, tier, geo)
    match = found.matches.get(key)
    if match is None:
        match = _match(table, found, ts, tier, geo)
        if match is not None and len(found.matches) < _MEMO_LIMIT:
            found.matches[key] = match
    return match


def _match(
    table: PriceTable, found: Candidates, ts: int | None, tier: str | None, geo: str | None
) -> Match | None:
    price = _at(_meant(found.spans, table.as_of if ts is None else ts), ts, table.as_of)
    if price is None:
        return None
    tier = tier or ("fast" if found.fast else None)
    priced, multiplier = _tiered(price, tier)
    rule = found.rule if priced else f"{found.rule}; no price for tier {tier}"
    if geo is not None and (there := price.multipliers.get(geo)):
        multiplier = multiplier * there // PLAIN
    return Match(priced or price, rule, multiplier)


def _candidates(table: PriceTable, model: str, provider: str | None) -> Candidates | None:
    key = (model, provider)
    found = table.memo.get(key)
    if found is None and key not in table.memo:
        if len(table.memo) >= _MEMO_LIMIT:
            table.memo.clear()
        found = table.memo[key] = _look_up(table, model, provider)
    return found


def _look_up(table: PriceTable, model: str, provider: str | None) -> Candidates | None:
    if provider is not None:
        provider = table.provider_aliases.get(provider.lower(), provider.lower())
    for name, rule, fast in readings(model):
        if name in table.models:
            meant: tuple[tuple[int | None, str | None], ...] = ((None, name),)
        elif name in table.aliases:
            meant, rule = table.aliases[name], f"{rule}+alias" if rule != "exact" else "alias"
        else:
            continue
        spans = tuple((start, _sold(table, one, provider)) for start, one in meant)
        # A name that only looks like a fast tier must not pass for the model without it.
        priced = not fast or any(_tiered(price, "fast")[0] for _, prices in spans for price in prices)
        return Candidates(rule, fast, spans, _steady(spans), {}) if priced else None
    return None


def _steady(spans: Spans) -> bool:
    """Whether the price changes on the hour only."""
    prices = [price for _, known in spans for price in known]
    moments = [start for start, _ in spans] + [price.valid_from for price in prices]
    return not any(price.hours for price in prices) and not any((at or 0) % _HOUR for at in moments)


def _sold(table: PriceTable, model: str | None, provider: str | None) -> tuple[Price, ...]:
    """The prices of who billed, else of the model's maker, else of the resellers if they agree."""
    sellers = table.models[model] if model is not None else {}
    # The user's own price for whoever sells comes last: the last one in force is taken.
    own = sellers.get(ANYONE, ())
    if provider in sellers:
        return (*sellers[provider], *own)
    makers = [prices for name, prices in sellers.items() if name in table.vendors]
    asked = makers or [prices for name, prices in sellers.items() if name != ANYONE]
    different = {tuple((price.valid_from, price.charges) for price in prices) for prices in asked}
    return (*(asked[0] if len(different) == 1 else ()), *own)


def _meant(spans: Spans, ts: int) -> tuple[Price, ...]:
    for start, prices in reversed(spans):
        if start is None or start <= ts:
            return prices
    return ()


def _at(prices: tuple[Price, ...], ts: int | None, as_of: int) -> Price | None:
    """The last price in force; without a time only prices of the whole day."""
    moment = as_of if ts is None else ts
    minute = None if ts is None else ts // 60_000 % _DAY
    for price in reversed(prices):
        if (price.valid_from is None or price.valid_from <= moment) and _in_hours(price.hours, minute):
            return price
    return None


def _in_hours(hours: tuple[tuple[int, int], ...], minute: int | None) -> bool:
    if not hours:
        return True
    return minute is not None and any(
        (minute - start) % _DAY < (end - start) % _DAY for start, end in hours
    )


def _tiered(price: Price, tier: str | None) -> tuple[Price | None, int]:
    """The price in a tier and its multiplier; (None, plain) if the tier has no price."""
    if tier in (None, "", "standard", "default"):
        return price, PLAIN
    # OpenAI's tools call its priority tier fast.
    for name in ("fast", "priority") if tier == "fast" else (tier,):
        if name in price.multipliers:
            return price, price.multipliers[name]
        if name in price.tiers:
            return price._replace(charges=price.tiers[name]), PLAIN
    return None, PLAIN


# --- reckoning ---


def cost_nanousd(
    price: Price,
    input_tokens: int | None,
    cache_read_tokens: int | None,
    cache_write_tokens: int | None,
    cache_write_1h_tokens: int | None,
    output_tokens: int | None,
    web_searches: int | None = None,
    multiplier: int = PLAIN,
    banded: bool = True,
) -> int:
    """Nano-USD of one request, rounded half up once; its token classes are disjoint, None counts as 0.

    A prompt larger than a band's threshold is charged at the band's prices with all its tokens. Where
    the numbers sum several requests, pass banded=False. Searches are not multiplied.
    """
    fresh, read = input_tokens or 0, cache_read_tokens or 0
    write, write_1h = cache_write_tokens or 0, cache_write_1h_tokens or 0
    charges = price.charges
    charge = charges[0]
    if banded and len(charges) > 1:
        prompt = fresh + read + write + write_1h
        for band in charges:
            if prompt > band.over:
                charge = band
    _, for_fresh, for_output, for_read, for_write, for_write_1h = charge
    tokens = fresh * for_fresh + read * for_read + (output_tokens or 0) * for_output
    if write:  # seldom both, and each multiplication counts
        tokens += write * for_write
    if write_1h:
        tokens += write_1h * for_write_1h
    searches = web_searches * (price.web_search or 0) if web_searches else 0
    if multiplier == PLAIN:  # as below, both sides divided by it
        return (tokens + searches * _MILLION + _MILLION // 2) // _MILLION
    unit = _MILLION * PLAIN  # tokens x price is in nano-USD per million tokens
    return (tokens * multiplier + searches * unit + unit // 2) // unit

"""The price table: what siphon/prices.json holds, and how it is read.

Prices are integers, nano-USD per million tokens (USD per million x 10**9), so that every listed price
is exact. Multipliers are integers, millionths: 1_000_000 is the plain price.
The file is made by dev/make_prices.py; its prices are decimal texts, and what it leaves out is unknown.
"""

import hashlib
from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import msgspec

from siphon.errors import SiphonError
from siphon.times import millis

PLAIN = 1_000_000  # the multiplier that changes nothing
NANO = 10**9
ANYONE = "any"  # the provider of a user's own price that holds whoever sells the model


class Band(NamedTuple):
    """Prices of requests whose prompt is larger than `over` tokens; None: not listed."""

    over: int
    input: int | None
    output: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None


class Charge(NamedTuple):
    """What is charged above a prompt size: a band with what it does not list filled in."""

    over: int
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int


class Price(NamedTuple):
    """One price of a model from a moment on. As listed, but for `charges`, which cost_nanousd uses."""

    id: int  # 1 … n in the order of model, provider, valid_from, hours
    model: str
    provider: str
    valid_from: int | None  # UTC milliseconds; None: ever since
    hours: tuple[tuple[int, int], ...]  # minutes of the UTC day, from and to; (): all day
    input: int | None  # this to cache_write_1h: nano-USD per million tokens; None: not listed
    output: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    web_search: int | None  # nano-USD per search
    bands: tuple[Band, ...]  # rising
    multipliers: dict[str, int]  # fast, batch, priority, flex, us …, in millionths
    tiers: dict[str, tuple[Charge, ...]]  # of tiers that are no multiple of the plain price
    charges: tuple[Charge, ...]  # rising, the first over 0
    source: str  # with its version


class Match(NamedTuple):
    """The price of a request; `price.charges` and `multiplier` are those of its tier and place."""

    price: Price
    rule: str  # how the model's name was read, and what could not be priced
    multiplier: int


Spans = tuple[tuple[int | None, tuple[Price, ...]], ...]


class Candidates(NamedTuple):
    """What a name may mean: the prices by the moment from which it means them (None: ever since)."""

    rule: str
    fast: bool
    spans: Spans
    steady: bool  # prices change on the hour only
    matches: dict[tuple[int, str | None, str | None], Match]
    """Found before, by hour, tier and place; no part of the value."""


class PriceTable(NamedTuple):
    rows: tuple[Price, ...]  # by id
    version: str  # changes whenever the table's file does
    as_of: int  # the moment for which requests without a time are priced
    vendors: frozenset[str]  # providers that make the models they sell
    provider_aliases: dict[str, str]
    models: dict[str, dict[str, tuple[Price, ...]]]  # model → provider → prices in order
    aliases: dict[str, tuple[tuple[int | None, str | None], ...]]  # name → (from, model; None: unpriced)
    memo: dict[tuple[str, str | None], Candidates | None]  # found before; no part of the value


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Prices of a tier, or of prompts over a size."""

    input: str
    output: str
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    over: int = 0
    bands: tuple["Prices", ...] = ()


class PriceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A price as files have it: decimal texts, USD per million tokens; `valid_from` YYYY-MM-DD."""

    model: str
    provider: str
    input: str
    output: str
    source: str
    valid_from: str | None = None
    hours: tuple[tuple[str, str], ...] = ()
    cache_read: str | None = None
    cache_write_5m: str | None = None
    cache_write_1h: str | None = None
    web_search: str | None = None
    bands: tuple[Prices, ...] = ()
    multipliers: dict[str, str] = {}
    tiers: dict[str, Prices] = {}
    source_version: str = ""


class _Alias(msgspec.Struct, frozen=True):
    alias: str
    model: str | None
    valid_from: str | None = None


class _Table(msgspec.Struct, frozen=True):
    as_of: str
    vendors: frozenset[str]
    prices: tuple[PriceRow, ...]
    provider_aliases: dict[str, str] = {}
    aliases: tuple[_Alias, ...] = ()


def load_prices(path: Path | None = None) -> PriceTable:
    """The table that comes with siphon, or that of a file of the same shape; raises SiphonError."""
    if path is None:
        return _shipped()
    return _read(path, str(path))


@cache
def _shipped() -> PriceTable:
    return _read(files("siphon").joinpath("prices.json"), "siphon/prices.json")


def _read(file: Traversable, where: str) -> PriceTable:
    try:
        content = file.read_bytes()
        return _table(
            msgspec.json.decode(content, type=_Table), hashlib.sha256(content).hexdigest()[:12]
        )
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise SiphonError(f"{where}: no price table: {error}") from error


def _table(written: _Table, digest: str) -> PriceTable:
    ordered = sorted(
        written.prices, key=lambda row: (row.model, row.provider, row.valid_from or "", row.hours)
    )
    rows = tuple(price_of(number, row) for number, row in enumerate(ordered, 1))
    models: dict[str, dict[str, tuple[Price, ...]]] = {}
    for price in rows:
        sellers = models.setdefault(price.model, {})
        earlier = sellers.get(price.provider, ())
        if earlier and (earlier[-1].valid_from, earlier[-1].hours) == (price.valid_from, price.hours):
            raise ValueError(f"{price.provider} {price.model}: two prices for one moment")
        sellers[price.provider] = (*earlier, price)
    return PriceTable(
        rows=rows,
        version=f"{written.as_of} {digest}",
        as_of=_midnight(written.as_of) or 0,
        vendors=written.vendors,
        provider_aliases=written.provider_aliases,
        models=models,
        aliases=_aliases(written.aliases, models.keys()),
        memo={},
    )


def _aliases(
    written: Sequence[_Alias], models: Collection[str]
) -> dict[str, tuple[tuple[int | None, str | None], ...]]:
    """Aliases by name, in the order of their dates; an alias of an alias is followed once."""
    undated = {one.alias: one.model for one in written if one.valid_from is None}
    found: dict[str, tuple[tuple[int | None, str | None], ...]] = {}
    for one in sorted(written, key=lambda one: one.valid_from or ""):
        target = (
            one.model if one.model is None or one.model in models else undated.get(one.model, one.model)
        )
        if target is not None and target not in models:
            raise ValueError(f"alias {one.alias}: no model {target}")
        found[one.alias] = (*found.get(one.alias, ()), (_midnight(one.valid_from), target))
    return found


def price_of(number: int, row: PriceRow) -> Price:
    try:
        bands = _bands(row)
        base = bands[0]
        return Price(
            id=number,
            model=row.model,
            provider=row.provider,
            valid_from=_midnight(row.valid_from),
            hours=tuple((_minute(start), _minute(end)) for start, end in row.hours),
            input=base.input,
            output=base.output,
            cache_read=base.cache_read,
            cache_write_5m=base.cache_write_5m,
            cache_write_1h=base.cache_write_1h,
            web_search=_exact(row.web_search, NANO),
            bands=bands[1:],
            multipliers={name: _factor(text) for name, text in row.multipliers.items()},
            tiers={name: _charges(row.model, _bands(tier)) for name, tier in row.tiers.items()},
            charges=_charges(row.model, bands),
            source=f"{row.source} {row.source_version}".strip(),
        )
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{row.provider} {row.model}: {error}") from error


def _bands(written: PriceRow | Prices) -> tuple[Band, ...]:
    """The plain prices as a band over 0, then the bands in rising order."""
    plain = Prices(
        input=written.input,
        output=written.output,
        cache_read=written.cache_read,
        cache_write_5m=written.cache_write_5m,
        cache_write_1h=written.cache_write_1h,
    )
    return tuple(_band(one) for one in (plain, *sorted(written.bands, key=lambda one: one.over)))


def _band(written: Prices) -> Band:
    return Band(
        over=written.over,
        input=_exact(written.input, NANO),
        output=_exact(written.output, NANO),
        cache_read=_exact(written.cache_read, NANO),
        cache_write_5m=_exact(written.cache_write_5m, NANO),
        cache_write_1h=_exact(written.cache_write_1h, NANO),
    )


def _charges(model: str, bands: tuple[Band, ...]) -> tuple[Charge, ...]:
    claude = model.startswith("claude-")
    return tuple(_charge(band, claude) for band in bands)


def _charge(band: Band, claude: bool) -> Charge:
    """A band with its gaps filled: cached tokens cost as input, or at Claude's usual ratios to it."""
    fresh = band.input or 0
    write = _or(band.cache_write_5m, fresh * 5 // 4 if claude else fresh)
    return Charge(
        over=band.over,
        input=fresh,
        output=band.output or 0,
        cache_read=_or(band.cache_read, fresh // 10 if claude else fresh),
        cache_write_5m=write,
        cache_write_1h=_or(band.cache_write_1h, fresh * 2 if claude else write),
    )


def _or(price: int | None, otherwise: int) -> int:
    return otherwise if price is None else price


def _exact(text: str | None, scale: int) -> int | None:
    if text is None:
        return None
    number = Decimal(text) * scale
    if not number.is_finite() or number != number.to_integral_value() or number < 0:
        raise ValueError(
            f"{text!r} is no price; it would be a decimal number of 0 or more with up to 9 places"
        )
    return int(number)


def _factor(text: str) -> int:
    """A multiplier in millionths; two of them multiply without a rest."""
    factor = Decimal(text) * 1000
    if not factor.is_finite() or factor != factor.to_integral_value() or factor < 0:
        raise ValueError(f"{text!r} is no multiplier; it would be a decimal number with up to 3 places")
    return int(factor) * (PLAIN // 1000)


def _midnight(day: str | None) -> int | None:
    """The first moment of a day, YYYY-MM-DD, in UTC."""
    found = millis(day)
    if day is not None and (found is None or len(day) != len("2026-01-31")):
        raise ValueError(f"{day!r} is no day; it would be YYYY-MM-DD")
    return found


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)

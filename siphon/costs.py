"""Prices meet requests: what the loader stores of a request's cost, and the table `prices`."""

import json
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from siphon.price_table import NANO, Band, Price, PriceTable
from siphon.prices import cost_nanousd, find
from siphon.records import Request


class Cost(NamedTuple):
    """A request's computed cost; all None where its price is unknown."""

    cost_nanousd: int | None
    price_id: int | None
    price_rule: str | None


UNKNOWN = Cost(None, None, None)


_Found = tuple[int | None, int | None, str | None]  # a Cost's values
_asked = itemgetter(  # what `_cost` asks for, of a request or of columns in its fields' order
    *map(
        Request._fields.index,
        ("model", "ts", "provider", "tier", "geo", "aggregate", "input_tokens", "cache_read_tokens",
        "cache_write_tokens", "cache_write_1h_tokens", "output_tokens", "web_searches"),
    )
)  # fmt: skip


def cost(table: PriceTable, request: Request) -> Cost:
    """What the request cost by the table at its time."""
    return Cost(*_cost(table, *_asked(request)))


def costs(table: PriceTable, requests: Sequence[Sequence[Any]]) -> list[_Found]:
    """The same of many requests, given by columns."""
    return list(map(partial(_cost, table), *_asked(requests)))


def _cost(
    table: PriceTable,
    model: str | None,
    ts: int | None,
    provider: str | None,
    tier: str | None,
    geo: str | None,
    aggregate: bool,
    fresh: int | None,
    read: int | None,
    write: int | None,
    write_1h: int | None,
    output: int | None,
    searches: int | None,
) -> _Found:
    match = find(table, model, ts, provider, tier, geo)
    if match is None:
        return UNKNOWN
    price, rule, multiplier = match
    amount = cost_nanousd(
        price, fresh, read, write, write_1h, output, searches, multiplier, not aggregate
    )
    return amount if amount < 2**63 else None, price.id, rule


def table_rows(table: PriceTable) -> list[tuple[object, ...]]:
    """The price table as rows of the database's `prices`, USD per million tokens."""
    return [_row(price) for price in table.rows]


def _row(price: Price) -> tuple[object, ...]:
    bands = [{name: _usd(value, name) for name, value in band._asdict().items()} for band in price.bands]
    return (
        price.id, price.model, price.provider, price.valid_from,
        json.dumps(price.hours) if price.hours else None, _million(price.input),
        _million(price.cache_read), _million(price.cache_write_5m), _million(price.cache_write_1h),
        _million(price.output), _million(price.web_search), json.dumps(bands) if bands else None,
        price.source,
    )  # fmt: skip


def _usd(value: int | None, name: str) -> int | float | None:
    return value if name == Band._fields[0] else _million(value)


def _million(nano: int | None) -> float | None:
    return None if nano is None else nano / NANO

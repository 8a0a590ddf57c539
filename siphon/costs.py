"""Prices meet requests: what the loader stores of a request's cost, and the table `prices`."""

import json
from typing import NamedTuple

from siphon.price_table import NANO, Band, Price, PriceTable
from siphon.prices import cost_nanousd, find
from siphon.records import Request


class Cost(NamedTuple):
    """A request's computed cost; all None where its price is unknown."""

    cost_nanousd: int | None
    price_id: int | None
    price_rule: str | None


UNKNOWN = Cost(None, None, None)


def cost(table: PriceTable, request: Request) -> Cost:
    """What the request cost by the table at its time."""
    match = find(table, request.model, request.ts, request.provider, request.tier, request.geo)
    if match is None:
        return UNKNOWN
    amount = cost_nanousd(
        match.price,
        request.input_tokens,
        request.cache_read_tokens,
        request.cache_write_tokens,
        request.cache_write_1h_tokens,
        request.output_tokens,
        request.web_searches,
        match.multiplier,
        banded=not request.aggregate,
    )
    return Cost(amount if amount < 2**63 else None, match.price.id, match.rule)


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

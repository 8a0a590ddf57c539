"""Price lists of litellm and genai-prices, as JSON files, read into our own form.

litellm: an object, model → USD a token by class, of one moment. genai-prices: a list of providers, each
with models, whose prices are USD per million tokens and may be dated. Names match as wholes only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from siphon.errors import SiphonError
from siphon.model_names import spelled
from siphon.own_prices import YOURS
from siphon.price_table import PLAIN, PriceRow, Prices, PriceTable, price_of
from siphon.prices import find
from siphon.times import millis

_SPOKEN = ("chat", "responses", "completion")  # litellm's modes that answer in words
_PROVIDERS = {"xiaomi_mimo": "xiaomi", "vertex_ai-language-models": "google"}
_CLASSES = {  # ours: litellm's, genai-prices'
    "input": ("input_cost_per_token", "input_mtok"),
    "output": ("output_cost_per_token", "output_mtok"),
    "cache_read": ("cache_read_input_token_cost", "cache_read_mtok"),
    "cache_write_5m": ("cache_creation_input_token_cost", "cache_write_mtok"),
    "cache_write_1h": ("cache_creation_input_token_cost_above_1hr", "cache_write_1h_mtok"),
}
_ABOVE = re.compile(r"(?:_above_(\d+)k_tokens)?")

# Prices of one class by the prompt size above which they hold.
Steps = dict[int, Decimal]


class Import(NamedTuple):
    """What a file held."""

    rows: list[PriceRow]  # that say something new
    known: int  # that say what siphon knows
    skipped: int  # without a price for input and output


def imported(content: bytes, name: str, day: str, table: PriceTable) -> Import:
    """A file's prices; undated ones hold from `day` on, or ever since where none was known before.

    Raises SiphonError naming the file if it has neither form.
    """
    try:
        document = json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise SiphonError(f"{name}: not JSON: {error}") from None
    found = list(_read(document, name, day, table))
    rows = [row for row in found if row is not None]
    new = {_place(row): row for row in rows if not _known(row, table, day)}
    return Import(list(new.values()), len(rows) - len(new), len(found) - len(rows))


def _read(document: Any, name: str, day: str, table: PriceTable) -> Iterator[PriceRow | None]:
    if isinstance(document, list) and all(isinstance(one, dict) and "models" in one for one in document):
        return (row for provider in document for row in _genai(provider, table))
    if isinstance(document, dict) and any(
        isinstance(one, dict) and "litellm_provider" in one for one in document.values()
    ):
        entries = [
            (key, one)
            for key, one in document.items()
            if isinstance(one, dict) and one.get("mode") in _SPOKEN and key != "sample_spec"
        ]
        return (_litellm(key, entry, day, table) for key, entry in entries)
    raise SiphonError(
        f"{name}: neither litellm's model_prices_and_context_window.json nor genai-prices' data.json"
    )


def _place(row: PriceRow) -> tuple[object, ...]:
    return row.model, row.provider, row.valid_from, row.hours


def _known(row: PriceRow, table: PriceTable, day: str) -> bool:
    """Whether siphon would charge the same at that day anyway."""
    match = find(table, row.model, millis(row.valid_from or day), row.provider)
    if match is None or match.multiplier != PLAIN or row.hours:
        return False
    try:
        return price_of(0, row).charges == match.price.charges
    except ValueError:
        return False


def _provider(name: str, table: PriceTable) -> str:
    name = _PROVIDERS.get(name, name).lower()
    return table.provider_aliases.get(name, name)


# --- litellm ---


def _litellm(key: str, entry: Mapping[str, Any], day: str, table: PriceTable) -> PriceRow | None:
    seller = str(entry.get("litellm_provider", ""))
    provider = _provider(seller, table)
    model = spelled(key.removeprefix(f"{seller}/"))
    known = model in table.models and provider in table.models[model]
    sheet = {ours: _tokens(entry, theirs) for ours, (theirs, _) in _CLASSES.items()}
    return _row(model, provider, day if known else None, (), sheet, f"{YOURS}, litellm {day}")


def _tokens(entry: Mapping[str, Any], key: str) -> Steps:
    found: Steps = {}
    for name, value in entry.items():
        above = _ABOVE.fullmatch(name.removeprefix(key)) if name.startswith(key) else None
        price = _decimal(value)
        if above is not None and price is not None:
            # It writes USD per token, often as a float that is off in the 17th digit.
            million = (price * 1_000_000).quantize(Decimal("0.000000001")).normalize()
            found[int(above[1] or 0) * 1000] = million
    # Of writing a cache it writes 0 where that has no price of its own.
    return {} if "creation" in key and not found.get(0) else found


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


# --- genai-prices ---


def _genai(provider: Mapping[str, Any], table: PriceTable) -> Iterator[PriceRow | None]:
    seller = _provider(str(provider.get("id", "")), table)
    for model in provider["models"]:
        prices = model.get("prices")
        for one in prices if isinstance(prices, list) else [{"prices": prices}]:
            constraint = one.get("constraint") or {}
            hours = _hours(constraint)
            sheet = {ours: _million(one["prices"].get(theirs)) for ours, (_, theirs) in _CLASSES.items()}
            name = spelled(str(model.get("id", "")).rpartition("/")[2])
            since = constraint.get("start_date")
            yield _row(name, seller, since, hours, sheet, f"{YOURS}, genai-prices")


def _hours(constraint: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    start, end = constraint.get("start_time"), constraint.get("end_time")
    return ((str(start)[:5], str(end)[:5]),) if start and end else ()


def _million(value: Any) -> Steps:
    if isinstance(value, dict):
        tiers = {int(tier["start"]): _decimal(tier["price"]) for tier in value.get("tiers", ())}
        steps = {0: _decimal(value.get("base")), **tiers}
        return {over: price for over, price in steps.items() if price is not None}
    price = _decimal(value)
    return {} if price is None else {0: price}


# --- both ---


def _row(
    model: str,
    provider: str,
    since: str | None,
    hours: tuple[tuple[str, str], ...],
    sheet: Mapping[str, Steps],
    source: str,
) -> PriceRow | None:
    if not model or 0 not in sheet["input"] or 0 not in sheet["output"]:
        return None
    sizes = sorted({over for steps in sheet.values() for over in steps if over})
    return PriceRow(
        model=model,
        provider=provider,
        valid_from=since,
        hours=hours,
        source=source,
        bands=tuple(Prices(over=over, **_at(sheet, over)) for over in sizes),  # type: ignore[arg-type]  # texts
        **_at(sheet, 0),  # type: ignore[arg-type]
    )


def _at(sheet: Mapping[str, Steps], size: int) -> dict[str, str]:
    """The prices at a prompt size: a class without one of its own there keeps its last."""
    return {
        name: f"{steps[max(over for over in steps if over <= size)].normalize():f}"
        for name, steps in sheet.items()
        if 0 in steps
    }

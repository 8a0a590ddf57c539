"""Write siphon/prices.json from genai-prices, litellm and the facts in prices_curated.json.

For development only; nothing at run time needs the packages. In a throw-away environment:

    pip install genai-prices==0.2.3
    pip download --no-deps litellm==1.109.1 litellm==1.80.0    # one at a time; unzip each wheel
    python dev/make_prices.py 1.109.1=NEW.json 1.80.0=OLD.json > siphon/prices.json

NEW and OLD are the wheels' litellm/model_prices_and_context_window_backup.json. The output depends on
the inputs alone. genai-prices wins (it dates its prices and keeps retired models); litellm adds what it
lacks, newest first; curated facts come last. On stderr: where the two disagree on a current price.
"""

import hashlib
import json
import re
import sys
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices.data import providers
from price_sources import (
    CLASSES,
    GENAI,
    Row,
    Sheet,
    canonical,
    genai_rows,
    genai_wanted,
    litellm_rows,
    undated,
)

CURATED = json.loads((Path(__file__).parent / "prices_curated.json").read_text())


# --- together ---


def merge(rows: list[Row], more: list[Row]) -> list[Row]:
    """Add the models that are missing; where both agree on the price, also the details."""
    known = {(row.provider, row.model) for row in rows} | set(genai_names())
    by_name = {(row.provider, row.model): row for row in more}
    detailed = [supplement(row, by_name.get((row.provider, row.model))) for row in rows]
    added = [row for row in more if (row.provider, row.model) not in known]
    return detailed + [row for row in added if not is_snapshot(row, detailed + added)]


def supplement(row: Row, other: Row | None) -> Row:
    if other is None or row.hours or base(row.sheet)[:2] != base(other.sheet)[:2]:
        return row
    cache_read = {"cache_read": other.sheet["cache_read"]} if "cache_read" in other.sheet else {}
    tiers = {tier: sheet for tier, sheet in other.tiers.items() if tier not in row.multipliers}
    return row._replace(
        sheet={**cache_read, **row.sheet},
        tiers={**tiers, **row.tiers},
        multipliers={**other.multipliers, **row.multipliers},
        web_search=other.web_search if row.web_search is None else row.web_search,
    )


def base(sheet: Sheet) -> tuple[Decimal | None, ...]:
    return tuple(sheet[name][0] if name in sheet else None for name in CLASSES)


def is_snapshot(row: Row, rows: list[Row]) -> bool:
    """A dated name says nothing where the name without its date costs the same."""
    short = undated(row.model)
    name = genai_names().get((row.provider, short), short)
    return short != row.model and any(
        (other.provider, other.model, base(other.sheet)[:2]) == (row.provider, name, base(row.sheet)[:2])
        for other in rows
    )


def genai_names() -> dict[tuple[str, str], str]:
    """Other names that genai-prices gives a model: (provider, name) → the model's name."""
    return {
        (provider.id, canonical(name)): canonical(model.id)
        for provider in providers
        if provider.id in GENAI and provider.id != "openrouter"
        for model in provider.models
        if genai_wanted(provider.id, model.id)
        for name in equals(model.match)
        if "/" not in name
    }


def equals(match: Any) -> list[str]:
    """Names that a clause matches as a whole; clauses that match parts of names are not used."""
    if hasattr(match, "or_"):
        return [name for clause in match.or_ for name in equals(clause)]
    return [match.equals] if hasattr(match, "equals") else []


def disagreements(rows: list[Row], more: list[Row]) -> list[str]:
    latest = {(row.provider, row.model): row for row in rows if is_current(row)}
    names = {name: (name[0], model) for name, model in genai_names().items()}
    found = []
    for row in more:
        mine = latest.get(names.get((row.provider, row.model), (row.provider, row.model)))
        if mine and base(mine.sheet) != base(row.sheet):
            found.append(f"{row.provider} {row.model}: {show(mine)} against {show(row)}")
    return found


def show(row: Row) -> str:
    prices = "/".join(
        "-" if price is None else format(price.normalize(), "f") for price in base(row.sheet)
    )
    return f"{row.source} {row.source_version} {prices}"


def without_resold(rows: list[Row]) -> list[Row]:
    """Leave out resellers' prices that equal the maker's (only the maker's change is on record).

    OpenRouter's follow the cheapest host of the day: they serve only where no maker has a price.
    """
    makers = {row.model: row for row in rows if is_current(row) and row.provider in CURATED["vendors"]}
    names = {name: makers[model] for (_, name), model in genai_names().items() if model in makers}
    names |= {one["alias"]: makers[one["model"]] for one in CURATED["aliases"] if one["model"] in makers}
    own = {
        (row.provider, row.model)
        for row in rows
        if row.provider in CURATED["vendors"]
        or not resold(row, makers.get(row.model) or names.get(row.model))
    }
    return [row for row in rows if (row.provider, row.model) in own]


def is_current(row: Row) -> bool:
    """Rows come in the order of their dates, so that the last current one is in force."""
    return not row.hours and row.valid_from <= CURATED["as_of"]


def resold(row: Row, maker: Row | None) -> bool:
    if maker is None or row.provider == "openrouter":
        return maker is not None
    given = [name for name in CLASSES if name in row.sheet]
    return all(row.sheet[name] == maker.sheet.get(name, maker.sheet["input"]) for name in given)


def with_ratios(rows: list[Row]) -> list[Row]:
    """Where a tier's price is on record for one time only, its ratio holds for the others too."""
    now = {(row.provider, row.model): multipliers_of(row) for row in rows if is_current(row)}
    found = []
    for row in rows:
        ratios = now.get((row.provider, row.model), {})
        missing = {tier: factor for tier, factor in ratios.items() if tier not in row.tiers}
        found.append(row._replace(multipliers={**missing, **row.multipliers}))
    return found


def without_repeats(rows: list[Row]) -> list[Row]:
    """A dated price that changes nothing here (but, say, the price of audio) is no change."""
    kept: list[Row] = []
    for row in sorted(rows, key=lambda row: row[:4]):
        if not (kept and not row.hours and kept[-1]._replace(valid_from=row.valid_from) == row):
            kept.append(row)
    return kept


# --- curated facts ---


def curated(rows: list[Row]) -> list[Row]:
    return [with_facts(row) for row in rows] + [fact_row(fact) for fact in CURATED["prices"]]


def fact_row(fact: dict[str, Any]) -> Row:
    return Row(
        model=fact["model"],
        provider=fact["provider"],
        valid_from=fact["valid_from"] or "",
        hours=tuple((begin, end) for begin, end in fact.get("hours", ())),
        sheet={name: {0: Decimal(fact[name])} for name in CLASSES if name in fact},
        web_search=None,
        tiers={},
        multipliers={},
        source="curated",
        source_version=str(CURATED["revision"]),
    )


def with_facts(row: Row) -> Row:
    for fact in CURATED["bands"]:
        if (row.model, row.provider) == (fact["model"], fact["provider"]):
            band = fact["band"]
            row = row._replace(
                sheet={
                    name: {**prices, band["over"]: Decimal(band[name])}
                    for name, prices in row.sheet.items()
                }
            )
    ratios = dict(row.multipliers)
    for fact in CURATED["multipliers"]:
        if row.provider == "anthropic" and re.fullmatch(fact["models"], row.model):
            ratios = {
                **{name: Decimal(fact[name]) for name in ("batch", "us", "fast") if name in fact},
                **ratios,
            }
    search = row.web_search
    for fact in CURATED["web_search"]:
        if search is None and re.fullmatch(fact["models"], row.model):
            search = Decimal(fact["web_search"])
    return row._replace(multipliers=ratios, web_search=search)


# --- writing ---


def ratio(tier: Sheet, standard: Sheet) -> Decimal | None:
    """The one factor by which all of a tier's prices differ, if it has at most three decimals."""
    if tier.keys() != standard.keys() or any(
        tier[name].keys() != standard[name].keys() for name in tier
    ):
        return None
    pairs = [(tier[name][over], price) for name in standard for over, price in standard[name].items()]
    factors = {mine / price for mine, price in pairs if price}
    if len(factors) != 1:
        return None
    factor = factors.pop()
    exact = factor == factor.quantize(Decimal("0.001")) and all(
        mine == price * factor for mine, price in pairs
    )
    return factor if exact and factor != 1 else None


def multipliers_of(row: Row) -> dict[str, Decimal]:
    ratios = {tier: ratio(sheet, row.sheet) for tier, sheet in row.tiers.items()}
    return {**row.multipliers, **{tier: factor for tier, factor in ratios.items() if factor is not None}}


def text(number: Decimal) -> str:
    return format(number.normalize(), "f")


def written_sheet(sheet: Sheet) -> dict[str, Any]:
    """Base prices, then complete bands: a class without a price of its own in a band keeps its last."""
    thresholds = sorted({over for prices in sheet.values() for over in prices if over})
    written: dict[str, Any] = at(sheet, 0)
    if thresholds:
        written["bands"] = [{"over": over, **at(sheet, over)} for over in thresholds]
    return written


def at(sheet: Sheet, size: int) -> dict[str, Any]:
    return {
        name: text(sheet[name][max(over for over in sheet[name] if over <= size)])
        for name in CLASSES
        if name in sheet
    }


def written(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": row.model,
        "provider": row.provider,
        "valid_from": row.valid_from or None,
    }
    if row.hours:
        found["hours"] = row.hours
    found |= written_sheet(row.sheet)
    if row.web_search is not None:
        found["web_search"] = text(row.web_search)
    factors = multipliers_of(row)
    if factors:
        found["multipliers"] = {name: text(factors[name]) for name in sorted(factors)}
    sheets = {
        tier: sheet for tier, sheet in row.tiers.items() if tier not in factors and sheet != row.sheet
    }
    if sheets:
        found["tiers"] = {tier: written_sheet(sheets[tier]) for tier in sorted(sheets)}
    return found | {"source": row.source, "source_version": row.source_version}


def aliases(rows: list[Row]) -> list[dict[str, Any]]:
    models = {row.model for row in rows}
    found = [{"alias": alias, "model": model} for (_, alias), model in sorted(genai_names().items())]
    found = [one for one in found if one["model"] in models and one["alias"] not in models]
    by_name: dict[str, set[str]] = {}
    for one in found:
        by_name.setdefault(one["alias"], set()).add(one["model"])
    own = {one["alias"] for one in CURATED["aliases"]}
    kept = [
        {"alias": alias, "model": targets.pop()}
        for alias, targets in by_name.items()
        # Names like gemini-flash-latest move, and nobody records when.
        if len(targets) == 1 and alias not in own and not re.search(r"latest$|^chat-|\[", alias)
    ]
    return sorted(kept + CURATED["aliases"], key=lambda one: (one["alias"], one.get("valid_from", "")))


def document(rows: list[Row], alias: list[dict[str, Any]], sources: list[dict[str, str]]) -> str:
    """JSON with one row, alias, source and notice a line."""
    head = {
        "as_of": CURATED["as_of"],
        "revision": CURATED["revision"],
        "unit": "USD per million tokens; web_search: per search; hours: UTC; missing is unknown, not 0",
        "vendors": CURATED["vendors"],
        "provider_aliases": CURATED["provider_aliases"],
    }
    lists: dict[str, list[Any]] = {
        "sources": sources,
        "notices": CURATED["notices"],
        "aliases": alias,
        "prices": [written(row) for row in rows],
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    for key, values in lists.items():
        body = ",\n".join("  " + json.dumps(value) for value in values)
        lines.append(f" {json.dumps(key)}: [\n{body}\n ],")
    return "{\n" + "\n".join(lines).removesuffix(",") + "\n}\n"


def main(arguments: list[str]) -> None:
    rows = genai_rows()
    sources = [{"name": "genai-prices", "version": version("genai-prices"), "licence": "MIT"}]
    for argument in arguments:
        release, _, name = argument.partition("=")
        more = litellm_rows(Path(name), release)
        print(*disagreements(rows, more), sep="\n", file=sys.stderr)
        rows = merge(rows, more)
        digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        sources.append({"name": "litellm", "version": release, "licence": "MIT", "sha256": digest})
    rows = without_repeats(with_ratios(without_resold(curated(rows))))
    sys.stdout.write(document(rows, aliases(rows), sources))


if __name__ == "__main__":
    main(sys.argv[1:])

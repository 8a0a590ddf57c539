"""Prices as genai-prices and litellm have them, in one shape; make_prices.py uses it and tells how."""

import json
import re
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from genai_prices.data import providers

TIERS = ("fast", "priority", "flex", "batch")
CLASSES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")

# Prices of one token class in USD per million, by the prompt size above which they hold (0: always).
Steps = dict[int, Decimal]
Sheet = dict[str, Steps]

GENAI = {
    "anthropic", "cursor", "deepseek", "github-copilot", "google", "meta", "minimax", "mistral",
    "moonshotai", "openai", "openrouter", "x-ai", "zai", "zhipuai",
}  # fmt: skip
LITELLM = {  # litellm's provider: (ours, the prefix of its keys)
    "anthropic": ("anthropic", ""),
    "cognition": ("cognition", "cognition/"),
    "dashscope": ("alibaba", "dashscope/"),
    "deepseek": ("deepseek", "deepseek/"),
    "gemini": ("google", "gemini/"),
    "github_copilot": ("github-copilot", "github_copilot/"),
    "meta": ("meta", "meta/"),
    "minimax": ("minimax", "minimax/"),
    "mistral": ("mistral", "mistral/"),
    "moonshot": ("moonshotai", "moonshot/"),
    "openai": ("openai", ""),
    "xai": ("x-ai", "xai/"),
    "xiaomi_mimo": ("xiaomi", "xiaomi_mimo/"),
    "zai": ("zai", "zai/"),
}
# Of the reseller openrouter only the open models whose makers coding tools offer.
OPENROUTER = {
    "arcee-ai", "bytedance-seed", "deepseek", "inception", "inclusionai", "kwaipilot", "meituan",
    "minimax", "mistralai", "moonshotai", "nvidia", "poolside", "qwen", "stepfun", "tencent",
    "thinkingmachines", "xiaomi", "z-ai",
}  # fmt: skip
NOT_CODING = re.compile(
    r"image|tts|audio|realtime|-live|transcribe|embed|ocr|voxtral|voice|whisper|moderation|^ada$|babbage"
    r"|curie|davinci|^ft:|\.ft-|robotics|omni-|nano-banana|vision-preview|-vl|safety|hy-mt|^sam-|computer-use"
    r"|deep-research|search-preview|search-api|speech|medlm|instruct-v0|-exp-\d|container|gemini-gemma|^lyria|learnlm"
    r"|^claude.*-fast$|:batch$|:free$",  # these three are tiers, not models
    re.IGNORECASE,
)
# Zero stands for "no own price" where litellm says what writing a cache costs.
PAID_WRITES = {"anthropic", "openai", "moonshotai", "minimax", "alibaba"}


class Row(NamedTuple):
    """One price of a model from a day on, at some hours of the day."""

    model: str
    provider: str
    valid_from: str  # YYYY-MM-DD; "": ever since
    hours: tuple[tuple[str, str], ...]  # UTC; (): all day
    sheet: Sheet
    web_search: Decimal | None
    tiers: dict[str, Sheet]
    multipliers: dict[str, Decimal]
    source: str
    source_version: str


def canonical(name: str) -> str:
    """The name under which a model is filed: lower case, and one spelling for Claude."""
    name = name.lower()
    if not name.startswith("claude-"):
        return name
    name = re.sub(r"(?<=\d)\.(?=\d)", "-", name).removesuffix("-latest")
    name = re.sub(r"^claude-4-([a-z]+)", r"claude-\1-4", name)
    return re.sub(r"^(claude-[a-z]+-\d)-0$", r"\1", name)


def undated(name: str) -> str:
    return re.sub(r"-(20\d{6}|20\d\d-\d\d-\d\d|latest)$", "", name)


# --- genai-prices ---


def genai_rows() -> list[Row]:
    return [
        row
        for provider in providers
        if provider.id in GENAI
        for model in provider.models
        if genai_wanted(provider.id, model.id)
        for row in genai_model(provider.id, model)
    ]


def genai_wanted(provider: str, name: str) -> bool:
    if NOT_CODING.search(name) or (provider == "google" and name.startswith("claude")):
        return False
    return provider != "openrouter" or name.partition("/")[0] in OPENROUTER


def genai_model(provider: str, model: Any) -> list[Row]:
    name = canonical(model.id.rpartition("/")[2])
    prices = model.prices if isinstance(model.prices, list) else [Undated(model.prices)]
    dated = {start_of(price): price.prices for price in prices if hours_of(price) == ()}
    starts = sorted(dated)
    rows = []
    for start, after in zip(starts, [*starts[1:], "9999"], strict=True):
        rows.append(genai_row(name, provider, start, (), dated[start], genai_tiers(model, after)))
    for sheet, hours in genai_hours(prices):
        rows.append(genai_row(name, provider, starts[-1], hours, sheet, {}))
    return [row for row in rows if {"input", "output"} <= row.sheet.keys()]


class Undated(NamedTuple):
    """A price without a constraint, in genai-prices' shape."""

    prices: Any
    constraint: None = None


def genai_row(
    name: str, provider: str, start: str, hours: Any, prices: Any, tiers: dict[str, Any]
) -> Row:
    sheet = genai_sheet(prices)
    over = {tier: {**sheet, **genai_sheet(variant)} for tier, variant in tiers.items()}
    if over.get("fast") == over.get("priority"):  # OpenAI's two names of one tier
        over.pop("fast", None)
    search = prices.web_searches_kcount
    return Row(
        model=name,
        provider=provider,
        valid_from=start,
        hours=hours,
        sheet=sheet,
        web_search=None if search is None else search / 1000,
        tiers=over,
        multipliers={},
        source="genai-prices",
        source_version=version("genai-prices"),
    )


def genai_sheet(prices: Any) -> Sheet:
    given = {
        "input": prices.input_mtok,
        "output": prices.output_mtok,
        "cache_read": prices.cache_read_mtok,
        "cache_write_5m": prices.cache_write_mtok,
        "cache_write_1h": prices.cache_write_1h_mtok,
    }
    return {name: steps(price) for name, price in given.items() if price is not None}


def steps(price: Any) -> Steps:
    if isinstance(price, Decimal):
        return {0: price}
    return {0: price.base, **{tier.start: tier.price for tier in price.tiers}}


def start_of(price: Any) -> str:
    start = getattr(price.constraint, "start_date", None)
    return start.isoformat() if start else ""


def hours_of(price: Any) -> tuple[tuple[str, str], ...]:
    start = getattr(price.constraint, "start_time", None)
    return ((f"{start:%H:%M}", f"{price.constraint.end_time:%H:%M}"),) if start else ()


def genai_hours(prices: list[Any]) -> list[tuple[Any, tuple[tuple[str, str], ...]]]:
    """Prices of hours of the day, hours of one price together; genai-prices does not date them."""
    found: list[tuple[Any, tuple[tuple[str, str], ...]]] = []
    for price in prices:
        hours = hours_of(price)
        if found and hours and genai_sheet(found[-1][0]) == genai_sheet(price.prices):
            found[-1] = (found[-1][0], found[-1][1] + hours)
        elif hours:
            found.append((price.prices, hours))
    return found


def genai_tiers(model: Any, before: str) -> dict[str, Any]:
    """The tiers' prices last announced before a day. Most are dated by when they were first recorded."""
    found: dict[str, tuple[str, Any]] = {}
    for variant in model.price_variants or ():
        (tier,) = variant.when.values()
        start = start_of(variant)
        if tier in TIERS and start < before and start >= found.get(tier, ("", None))[0]:
            found[tier] = (start, variant.prices)
    return {tier: prices for tier, (_, prices) in found.items()}


# --- litellm ---


def litellm_rows(path: Path, release: str) -> list[Row]:
    entries = json.loads(path.read_text(), parse_float=Decimal, parse_int=int)
    rows = [litellm_row(key, entry, release) for key, entry in sorted(entries.items())]
    return [row for row in rows if row is not None]


def litellm_row(key: str, entry: dict[str, Any], release: str) -> Row | None:
    provider, prefix = LITELLM.get(entry.get("litellm_provider", ""), ("", ""))
    wanted = entry.get("mode") in ("chat", "responses") and provider and key.startswith(prefix)
    name = canonical(key.removeprefix(prefix))
    if (
        not wanted
        or NOT_CODING.search(name)
        or (provider == "alibaba" and not re.match("qw?[qv]?w?en|qwq", name))
    ):
        return None
    sheet = litellm_sheet(entry, provider, "")
    if not {"input", "output"} <= sheet.keys():
        return None
    tiers = {tier: litellm_sheet(entry, provider, suffix) for tier, suffix in LITELLM_TIERS.items()}
    tiers = {
        tier: {**sheet, **over} for tier, over in tiers.items() if {"input", "output"} <= over.keys()
    }
    special = entry.get("provider_specific_entry", {})
    ratios = {name: Decimal(special[name]) for name in ("us", "fast") if name in special}
    search = entry.get("search_context_cost_per_query", {}).get("search_context_size_medium")
    return Row(
        name,
        provider,
        "",
        (),
        sheet,
        Decimal(search) if search else None,
        tiers,
        ratios,
        "litellm",
        release,
    )


LITELLM_TIERS = {"priority": "_priority", "flex": "_flex", "batch": "_batches"}
LITELLM_CLASSES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}


def litellm_sheet(entry: dict[str, Any], provider: str, suffix: str) -> Sheet:
    sheet: Sheet = {}
    for name, key in LITELLM_CLASSES.items():
        if name.startswith("cache_write") and provider not in PAID_WRITES:
            continue
        found = litellm_steps(entry, key, suffix)
        if 0 in found and not (name.startswith("cache_write") and found[0] == 0):
            sheet[name] = found
    return sheet


def litellm_steps(entry: dict[str, Any], key: str, suffix: str) -> Steps:
    if "tiered_pricing" in entry and not suffix:
        tiers = [tier for tier in entry["tiered_pricing"] if key in tier]
        return {int(tier["range"][0]): per_million(tier[key]) for tier in tiers}
    pattern = re.compile(re.escape(key) + r"(?:_above_(\d+)k_tokens)?" + suffix)
    found: Steps = {}
    for name, value in entry.items():
        match = pattern.fullmatch(name)
        if match and value is not None:
            found[int(match[1] or 0) * 1000] = per_million(value)
    return found


def per_million(price: Decimal | int | str) -> Decimal:
    """litellm writes USD per token, often as a float that is off in the 17th digit."""
    return (Decimal(price) * 1_000_000).quantize(Decimal("0.000000001")).normalize()

"""Prices: names are read whole, prices are those of the day, and sums are exact.

All expectations are written by hand, in USD per million tokens, from the vendors' price lists.
"""

import json
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siphon.errors import SiphonError
from siphon.model_names import FREE
from siphon.prices import Match, Price, cost_nanousd, find, load_prices
from siphon.times import millis

TABLE = load_prices()
FILE = json.loads(files("siphon").joinpath("prices.json").read_bytes())
MINUTE = 60_000


def listed(model: str, when: str | None = None, **how: str) -> Match:
    match = find(TABLE, model, millis(when), **how)
    assert match is not None, model
    return match


def usd(price: Price) -> tuple[str | None, ...]:
    """The listed prices of a row in USD per million: input, output, read, 5 min write, 1 h write."""
    classes = (price.input, price.output, price.cache_read, price.cache_write_5m, price.cache_write_1h)
    dollars = [None if one is None else (Decimal(one) / 10**9).normalize() for one in classes]
    return tuple(None if one is None else f"{one:f}" for one in dollars)


def cost(match: Match, **tokens: Any) -> int:
    usage = dict.fromkeys(
        (
            "input_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
        )
    )
    return cost_nanousd(match.price, **{**usage, "multiplier": match.multiplier, **tokens})


# --- the table ---

SEED = [
    ("claude-3-opus claude-opus-4 claude-opus-4-1", "15 75 1.5 18.75 30"),
    (
        "claude-opus-4-5 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 claude-opus-5",
        "5 25 0.5 6.25 10",
    ),
    ("claude-opus-5-5", "4 20 0.2 5 8"),
    (
        "claude-3-5-sonnet claude-3-7-sonnet claude-sonnet-4 claude-sonnet-4-5 claude-sonnet-4-6",
        "3 15 0.3 3.75 6",
    ),
    ("claude-sonnet-5", "2 10 0.2 2.5 4"),
    ("claude-sonnet-5-5", "2 10 0.1 2.5 4"),
    ("claude-3-haiku", "0.25 1.25 0.03 0.3 0.5"),
    ("claude-3-5-haiku", "0.8 4 0.08 1 1.6"),
    ("claude-haiku-4-5", "1 5 0.1 1.25 2"),
    ("claude-haiku-5-5", "0.1 0.5 0.01 0.125 0.2"),
    ("claude-fable-5", "10 50 1 12.5 20"),
    ("claude-fable-5-1", "10 50 0.25 12.5 20"),
    ("claude-fable-5-2 claude-mythos-5-2", "8 40 0.2 10 16"),
    ("gpt-5 gpt-5.1 gpt-5-codex", "1.25 10 0.125"),
    ("gpt-5-mini", "0.25 2 0.025"),
    ("gpt-5.2 gpt-5.2-codex gpt-5.3-codex", "1.75 14 0.175"),
    ("gpt-5.4", "2.5 15 0.25"),
    ("gpt-5.4-mini", "0.75 4.5 0.075"),
    ("gpt-5.5", "5 30 0.5"),
    ("gpt-4.1", "2 8 0.5"),
    ("o3", "2 8 0.5"),
    ("o4-mini", "1.1 4.4 0.275"),
    ("gemini-2.5-pro", "1.25 10 0.125"),
    ("gemini-2.5-flash", "0.3 2.5 0.03"),
    ("gemini-3-flash-preview", "0.5 3 0.05"),
    ("gemini-3-pro-preview gemini-3.1-pro-preview", "2 12 0.2"),
    ("gemini-3.5-flash", "1.5 9 0.15"),
    ("kimi-k2.6", "0.95 4 0.16"),
    ("kimi-k3", "3 15 0.3"),
    ("qwen3-coder-plus", "1 5"),
]


@pytest.mark.parametrize(("models", "prices"), SEED)
def test_the_seed_table_holds_without_a_difference(models: str, prices: str) -> None:
    wanted = tuple(prices.split())
    for model in models.split():
        assert usd(listed(model, "2026-11-21").price)[: len(wanted)] == wanted, model


BANDS = [
    ("claude-haiku-5-5", "2026-11-21", 100_000, "0.5 2.5 0.05"),
    ("claude-sonnet-4", "2025-10-01", 200_000, "6 22.5 0.6"),
    ("claude-opus-4-6", "2026-03-12", 200_000, "10 37.5 1"),
    ("gpt-5.4", "2026-11-21", 272_000, "5 22.5 0.5"),
    ("gpt-5.5", "2026-11-21", 272_000, "10 45 1"),
    ("gemini-2.5-pro", "2026-11-21", 200_000, "2.5 15 0.25"),
    ("gemini-3-pro-preview", "2026-11-21", 200_000, "4 18 0.4"),
]


@pytest.mark.parametrize(("model", "day", "over", "prices"), BANDS)
def test_bands_of_the_seed_table(model: str, day: str, over: int, prices: str) -> None:
    (band,) = listed(model, day).price.bands
    read = [Decimal(one or -1) / 10**9 for one in (band.input, band.output, band.cache_read)]
    assert (band.over, read) == (over, [Decimal(one) for one in prices.split()])


def test_every_listed_price_is_kept_exactly_and_none_is_negative() -> None:
    assert len(TABLE.rows) == len(FILE["prices"]) > 400
    for price, row in zip(TABLE.rows, FILE["prices"], strict=True):
        assert (price.model, price.provider) == (row["model"], row["provider"])
        for name in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "web_search"):
            kept = getattr(price, name)
            assert (kept is None) == (name not in row)
            assert kept is None or (kept >= 0 and Decimal(kept) / 10**9 == Decimal(row[name]))
        assert [band.over for band in price.bands] == sorted(
            {band["over"] for band in row.get("bands", ())}
        )
        assert {name: Decimal(factor) / 10**6 for name, factor in price.multipliers.items()} == {
            name: Decimal(factor) for name, factor in row.get("multipliers", {}).items()
        }


def test_ids_count_the_rows_in_order() -> None:
    keys = [(row.model, row.provider, row.valid_from or 0, row.hours) for row in TABLE.rows]
    assert keys == sorted(set(keys))
    assert [row.id for row in TABLE.rows] == list(range(1, len(keys) + 1))


def test_every_model_has_a_price_from_the_beginning_so_that_no_day_is_a_gap() -> None:
    for sellers in TABLE.models.values():
        for prices in sellers.values():
            assert prices[0].valid_from is None and not prices[0].hours


def test_an_alias_means_a_model_that_has_a_price_or_says_why_not() -> None:
    for alias in FILE["aliases"]:
        assert alias["alias"] not in TABLE.models
        assert "why" in alias if alias["model"] is None else True
    targets = {model for spans in TABLE.aliases.values() for _, model in spans if model is not None}
    assert targets <= TABLE.models.keys()


def test_the_notices_of_the_sources_travel_with_the_prices() -> None:
    notices = {one["source"]: one["notice"] for one in FILE["notices"]}
    assert {row["source"] for row in FILE["prices"]} - {"curated"} == notices.keys()
    assert "Copyright (c) Pydantic Services Inc. 2025 to present" in notices["genai-prices"]
    assert "Copyright (c) 2023 Berri AI" in notices["litellm"]
    assert all("this permission notice shall be included" in text for text in notices.values())


# --- prices change ---

CHANGES = [
    ("gpt-5.6-sol", "2026-08-21", "5 30", "4 20"),
    ("gpt-5.6-terra", "2026-07-30", "2.5 15", "2 12"),
    ("gpt-5.6-luna", "2026-07-30", "1 6", "0.2 1.2"),
    ("gemini-3.6-flash", "2027-01-01", "0.75 3.75", "1.5 7.5"),
    ("gemini-3.7-flash", "2027-01-01", "0.75 3.75", "1.5 7.5"),
    ("gemini-3.8-flash", "2027-01-01", "0.75 3.75", "1.5 7.5"),
    ("o3", "2025-06-10", "10 40", "2 8"),
    ("deepseek-chat", "2025-09-29", "0.56 1.68", "0.28 0.42"),
]


@pytest.mark.parametrize(("model", "day", "before", "after"), CHANGES)
def test_a_price_holds_from_the_first_millisecond_of_its_day(
    model: str, day: str, before: str, after: str
) -> None:
    change = millis(day)
    assert change is not None
    last, first = find(TABLE, model, change - 1), find(TABLE, model, change)
    assert last is not None and first is not None
    assert [usd(last.price)[:2], usd(first.price)[:2]] == [tuple(before.split()), tuple(after.split())]


@pytest.mark.parametrize(
    ("model", "plain", "long"), [("claude-opus-4-6", 5, 10), ("claude-sonnet-4-6", 3, 6)]
)
def test_the_long_context_band_ends_on_2026_03_13(model: str, plain: int, long: int) -> None:
    last, first = listed(model, "2026-03-12T23:59:59.999Z"), listed(model, "2026-03-13T00:00:00Z")
    assert cost(last, input_tokens=200_001) == 200_001 * long * 1000
    assert cost(first, input_tokens=200_001) == 200_001 * plain * 1000


def test_without_a_time_the_price_is_that_of_the_day_the_table_was_made() -> None:
    assert usd(listed("gpt-5.6-sol").price)[0] == "4"
    assert usd(listed("gemini-3.8-flash").price)[0] == "0.75"  # not that of 2027, which is listed too


def test_peak_hours_begin_and_end_on_the_minute() -> None:
    found = [
        usd(listed("deepseek-v4-pro", f"2026-10-05T{clock}:00Z").price)[0]
        for clock in ("00:59", "01:00", "03:59", "04:00", "05:59", "06:00", "09:59", "10:00")
    ]
    assert found == ["0.66", "1.32", "1.32", "0.66", "0.66", "1.32", "1.32", "0.66"]


# --- names ---


def test_no_name_is_matched_by_a_part_or_a_beginning() -> None:
    assert usd(listed("gpt-5.5").price)[:2] == ("5", "30")
    assert usd(listed("gpt-5.5-pro").price)[:2] == ("30", "180")
    assert usd(listed("gpt-5").price)[:2] == ("1.25", "10")
    assert usd(listed("gpt-5-mini").price)[:2] == ("0.25", "2")
    assert find(TABLE, "gpt-5.3-codex-spark", None) is None
    for model in (TABLE.models.keys() | TABLE.aliases.keys()) - {FREE}:
        for name in (
            f"{model}-zz",
            f"{model}x",
            f"x{model}",
            f"zz-{model}",
            f"zz/{model}",
            f"{model}/zz",
        ):
            assert find(TABLE, name, None) is None or name in TABLE.models or name in TABLE.aliases, name


def test_a_name_cut_short_is_not_the_model_it_begins() -> None:
    for model in TABLE.models:
        for short in (model[:-cut] for cut in range(1, 12)):
            if short not in TABLE.models and short not in TABLE.aliases:
                match = find(TABLE, short, None)
                assert match is None or match.price.model != model, short


def test_a_name_of_any_length_is_read_in_no_time() -> None:
    assert find(TABLE, "gpt-5" + "-fast" * 100_000, None) is None


@pytest.mark.parametrize(
    "model", [None, "", "  ", "<synthetic>", "unknown", "auto", "Default", "copilot/auto"]
)
def test_what_names_no_model_has_no_price(model: str | None) -> None:
    assert find(TABLE, model, None) is None


@pytest.mark.parametrize(
    "model", ["sonnet", "opus", "haiku", "coder-model", "cursor-auto", "my-model", "claude"]
)
def test_a_model_without_a_listed_price_has_none(model: str) -> None:
    assert find(TABLE, model, None) is None


READ = [
    ("claude-opus-4-6", "claude-opus-4-6", "exact"),
    (" claude-opus-4-6\n", "claude-opus-4-6", "exact"),
    ("Claude-Opus-4-6", "claude-opus-4-6", "lower"),
    ("claude-haiku-4-5-20251001", "claude-haiku-4-5", "date"),
    ("claude-sonnet-4.5", "claude-sonnet-4-5", "claude"),
    ("claude-4.5-sonnet", "claude-sonnet-4-5", "claude"),
    ("claude-4-sonnet", "claude-sonnet-4", "claude"),
    ("claude-4.5-sonnet-thinking", "claude-sonnet-4-5", "claude+thinking"),
    ("claude-sonnet-3.7", "claude-3-7-sonnet", "claude"),
    ("claude-3.7-sonnet-thought", "claude-3-7-sonnet", "claude+thinking"),
    ("claude-opus-4-0", "claude-opus-4", "alias"),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku", "latest"),
    ("claude-opus-4-6[1m]", "claude-opus-4-6", "context"),
    ("copilot/claude-sonnet-4.5", "claude-sonnet-4-5", "wrapper+claude"),
    ("github-copilot/gpt-5", "gpt-5", "wrapper"),
    ("openrouter/anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "wrapper+claude"),
    ("models/gemini-2.5-pro", "gemini-2.5-pro", "wrapper"),
    ("moonshot-ai/kimi-k2.7-code", "kimi-k2.7-code", "wrapper"),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "wrapper+version+date"),
    (
        "bedrock/us-east-1/anthropic.claude-opus-4-1-20250805-v1:0",
        "claude-opus-4-1",
        "wrapper+version+date",
    ),
    ("vertex_ai/claude-opus-4-5@20251101", "claude-opus-4-5", "wrapper+spelling+date"),
    ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet", "spelling+date+version"),
    ("Gemini 3 Pro (High)", "gemini-3-pro-preview", "lower+spelling+effort+alias"),
    ("gemini-3-pro-low", "gemini-3-pro-preview", "effort+alias"),
    ("Claude Opus 4.5 (Thinking)", "claude-opus-4-5", "lower+spelling+claude+thinking"),
    ("gpt-5-codex-high", "gpt-5", "effort+alias"),
    ("gpt-5.1-codex-max-xhigh", "gpt-5.1", "effort+alias"),
    ("o3-mini-high", "o3-mini", "alias"),
    ("gpt-5.5-2026-04-23", "gpt-5.5", "alias"),
    ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "exact"),  # has a price of its own
    ("k2p6", "kimi-k2.6", "alias"),
    ("kimi-k2-thinking", "kimi-k2-thinking", "exact"),  # a model, not a mode
    ("grok-4-fast", "grok-4-fast-reasoning", "alias"),  # a model, not a tier
    ("grok-4.5[fast=true]", "grok-4.5-fast", "spelling"),
    ("composer-2.5[fast=false]", "composer-2.5", "spelling"),
    ("MiniMax-M2.1", "minimax-m2", "lower+alias"),
    ("glm-4.6", "glm-4.6", "exact"),
]


@pytest.mark.parametrize(("logged", "model", "rule"), READ)
def test_a_logged_name_is_read_by_rules_and_says_which(logged: str, model: str, rule: str) -> None:
    match = listed(logged)
    assert (match.price.model, match.rule) == (model, rule)


def test_names_that_only_look_decorated_stay_unpriced() -> None:
    for name in (
        "kimi-k2.6-thinking",
        "grok-4.7-mini-fast",
        "gpt-4.1-fast-x",
        "claude-opus-9-fast",
        "qwen3-max-high",
    ):
        assert find(TABLE, name, None) is None, name


def test_a_free_variant_costs_nothing_and_the_model_keeps_its_price() -> None:
    free, paid = listed("openrouter/qwen/qwen3-coder:free"), listed("openrouter/qwen/qwen3-coder")
    assert cost(free, input_tokens=10**6, output_tokens=10**6) == 0
    assert cost(paid, input_tokens=10**6) > 0


REVIEW = [
    ("2025-08-06T23:59:59Z", None),
    ("2025-08-07", "gpt-5"),
    ("2025-09-15", "gpt-5"),  # gpt-5-codex, which costs what gpt-5 does
    ("2025-11-13", "gpt-5.1"),
    ("2025-12-11", "gpt-5.2"),
    ("2026-02-05", "gpt-5.3-codex"),
    ("2026-03-04T23:59:59Z", "gpt-5.3-codex"),
    ("2026-03-05", "gpt-5.4"),
    ("2026-04-23", "gpt-5.5"),
]


@pytest.mark.parametrize(("day", "model"), REVIEW)
def test_a_moving_name_means_the_model_of_the_day(day: str, model: str | None) -> None:
    match = find(TABLE, "codex-auto-review", millis(day))
    assert (match.price.model if match else None) == model


def test_kimi_for_coding_means_the_model_of_the_day() -> None:
    days = ("2025-11-01", "2026-01-27", "2026-04-20", "2026-06-12")
    found = [listed("kimi-code/kimi-for-coding", day).price.model for day in days]
    assert found == ["kimi-k2-0905-preview", "kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code"]


def test_names_without_end_do_not_fill_the_memory() -> None:
    table = load_prices()
    for number in range(10_000):
        find(table, f"model-{number}", None)
    assert len(table.memo) < 5_000


# --- who billed ---


def test_who_billed_wins_and_else_the_maker() -> None:
    assert usd(listed("grok-4.5", provider="cursor").price)[2] == "0.5"
    assert usd(listed("grok-4.5", provider="xai").price)[2] == "0.3"
    assert listed("grok-4.5").price.provider == "x-ai"
    assert listed("claude-opus-4-5", provider="amazon-bedrock").price.provider == "anthropic"


def test_resellers_that_differ_are_no_price_without_knowing_which_it_was() -> None:
    assert find(TABLE, "glm-5-turbo", None) is None
    assert usd(listed("glm-5-turbo", provider="zhipu").price)[0] == "0.69"
    assert usd(listed("z-ai/glm-5-turbo", provider="openrouter").price)[0] == "1.2"


# --- tiers ---

TIERS = [
    ("claude-opus-4-6", "2026-02-10", {"tier": "fast"}, 30_000),
    ("claude-opus-4-6-fast", "2026-02-10", {}, 30_000),
    ("claude-opus-4-8", "2026-09-01", {"tier": "fast"}, 10_000),
    ("claude-opus-4-8", "2026-09-01", {"tier": "fast", "geo": "us"}, 11_000),
    ("claude-opus-4-8", "2026-09-01", {"geo": "us"}, 5_500),
    ("claude-opus-4-8", "2026-09-01", {"geo": "global"}, 5_000),
    ("claude-opus-4-8", "2026-09-01", {"tier": "batch"}, 2_500),
    ("claude-opus-4-8", "2026-09-01", {"tier": "standard"}, 5_000),
    ("claude-3-opus", "2024-09-01", {"tier": "batch"}, 7_500),
    ("gpt-5.5", "2026-11-01", {"tier": "priority"}, 12_500),
    ("gpt-5.5", "2026-11-01", {"tier": "fast"}, 12_500),  # what Codex calls it
    ("gpt-5.5", "2026-11-01", {"tier": "flex"}, 2_500),
    ("gpt-5.6-sol", "2026-08-01", {"tier": "priority"}, 10_000),
    ("gpt-5.6-sol", "2026-09-01", {"tier": "priority"}, 8_000),
    ("o4-mini", "2026-01-01", {"tier": "priority"}, 2_000),  # 20/11 of the plain price
]


@pytest.mark.parametrize(("model", "day", "how", "nano"), TIERS)
def test_a_tier_and_a_place_change_the_price(
    model: str, day: str, how: dict[str, str], nano: int
) -> None:
    assert cost(listed(model, day, **how), input_tokens=1) == nano


def test_a_tier_without_a_price_costs_the_plain_one_and_says_so() -> None:
    match = listed("claude-haiku-4-5", tier="fast")
    assert (cost(match, input_tokens=1), match.rule) == (1_000, "exact; no price for tier fast")
    assert listed("claude-haiku-4-5", tier="default").rule == "exact"


def test_a_tier_has_its_own_bands() -> None:
    plain, priority = listed("gpt-5.4"), listed("gpt-5.4", tier="priority")
    assert cost(plain, input_tokens=300_000) == 300_000 * 5_000
    assert cost(priority, input_tokens=300_000) == 300_000 * 5_000  # twice the plain price, and no band
    assert cost(priority, input_tokens=100_000) == 100_000 * 5_000
    assert plain.price.id == priority.price.id


# --- sums ---


def test_cache_writes_of_five_minutes_and_of_an_hour_are_priced_apart() -> None:
    opus = listed("claude-opus-4-6", "2026-06-01")
    assert cost(opus, cache_write_tokens=200, cache_write_1h_tokens=800) == 200 * 6_250 + 800 * 10_000
    assert cost(opus, cache_write_tokens=1000) == 6_250_000


def test_a_whole_request_is_priced_by_its_class() -> None:
    opus = listed("claude-opus-4-6", "2026-06-01")
    usage = {
        "input_tokens": 4,
        "cache_read_tokens": 12_000,
        "cache_write_tokens": 9_000,
        "output_tokens": 159,
    }
    assert cost(opus, **usage) == 4 * 5_000 + 12_000 * 500 + 9_000 * 6_250 + 159 * 25_000


def test_searches_cost_apart_and_are_not_multiplied() -> None:
    assert cost(listed("claude-sonnet-4-5"), web_searches=2) == 20_000_000
    assert cost(listed("claude-opus-4-8", tier="fast"), web_searches=2, input_tokens=1) == 20_010_000


def test_a_band_begins_strictly_over_its_threshold_and_takes_every_token() -> None:
    sonnet = listed("claude-sonnet-4-5", "2026-01-01")
    at = {
        "input_tokens": 1,
        "cache_read_tokens": 199_997,
        "cache_write_tokens": 1,
        "cache_write_1h_tokens": 1,
    }
    over = {**at, "cache_read_tokens": 199_998}
    assert cost(sonnet, **at, output_tokens=10) == 3_000 + 199_997 * 300 + 3_750 + 6_000 + 10 * 15_000
    assert cost(sonnet, **over, output_tokens=10) == 6_000 + 199_998 * 600 + 7_500 + 12_000 + 10 * 22_500


def test_output_does_not_count_towards_a_band() -> None:
    assert (
        cost(listed("claude-sonnet-4-5"), input_tokens=1, output_tokens=300_000)
        == 3_000 + 300_000 * 15_000
    )


@pytest.mark.parametrize(
    ("size", "price"), [(32_000, 1_000), (32_001, 1_800), (128_001, 3_000), (256_001, 6_000)]
)
def test_the_highest_band_exceeded_holds(size: int, price: int) -> None:
    assert cost(listed("qwen3-coder-plus"), input_tokens=size) == size * price


def test_sums_of_several_requests_know_no_band() -> None:
    assert cost(listed("gpt-5.5"), input_tokens=10**6, banded=False) == 10**6 * 5_000
    assert cost(listed("gpt-5.5"), input_tokens=10**6) == 10**6 * 10_000


def test_cache_prices_that_are_not_listed_follow_the_maker_s_rule() -> None:
    claude = listed("claude-2")
    assert usd(claude.price) == ("8", "24", None, None, None)
    assert cost(claude, cache_read_tokens=10) == 8_000
    assert cost(claude, cache_write_tokens=10) == 100_000
    assert cost(claude, cache_write_1h_tokens=10) == 160_000
    assert cost(listed("gpt-5"), cache_write_tokens=10) == 12_500  # no charge for writing: plain input
    assert cost(listed("gpt-5"), cache_write_1h_tokens=10) == 12_500
    assert cost(listed("gpt-5-pro"), cache_read_tokens=10) == 150_000
    assert cost(listed("gpt-6-sol"), cache_write_1h_tokens=10) == 25_000  # as its only listed write


def test_unknown_token_counts_add_nothing() -> None:
    assert cost(listed("claude-opus-5")) == 0
    assert cost(listed("claude-opus-5"), output_tokens=None, input_tokens=2) == 10_000


counts = st.integers(0, 10**8)


@settings(max_examples=200)
@given(
    counts,
    counts,
    counts,
    counts,
    counts,
    st.integers(0, 100),
    st.sampled_from([(None, 1), ("fast", 2)]),
)
def test_sums_are_exact(
    a: int, b: int, c: int, d: int, e: int, searches: int, tier: tuple[str | None, int]
) -> None:
    prices = [Fraction(4), Fraction("0.2"), Fraction(5), Fraction(8), Fraction(20)]
    usd_exact = sum(n * p for n, p in zip((a, b, c, d, e), prices, strict=True)) * tier[1] / 10**6
    exact = (usd_exact + searches * Fraction("0.01")) * 10**9
    match = find(TABLE, "claude-opus-5-5", None, tier=tier[0])
    assert match is not None
    found = cost_nanousd(match.price, a, b, c, d, e, searches, match.multiplier)
    assert found == (exact + Fraction(1, 2)).__floor__()


# --- a table of one's own ---


def own(folder: Path, **row: Any) -> Path:
    path = folder / "prices.json"
    price = {"model": "m", "provider": "p", "input": "1", "output": "2", "source": "mine", **row}
    path.write_text(json.dumps({"as_of": "2026-01-01", "vendors": ["p"], "prices": [price]}))
    return path


@pytest.mark.parametrize(("tokens", "nano"), [(1, 1), (2, 1), (3, 2), (499, 250), (500, 250)])
def test_half_a_nano_is_rounded_up_once(tmp_path: Path, tokens: int, nano: int) -> None:
    match = find(load_prices(own(tmp_path, input="0.0005")), "m", None)
    assert match is not None
    assert cost(match, input_tokens=tokens) == nano
    assert cost(match, input_tokens=tokens, output_tokens=1) == nano + 2_000


def test_the_version_changes_with_the_file(tmp_path: Path) -> None:
    first = load_prices(own(tmp_path)).version
    assert load_prices(own(tmp_path)).version == first
    assert load_prices(own(tmp_path, input="1.1")).version != first


BROKEN = [
    ({"input": "0.0000000001"}, "p m: '0.0000000001' is no price"),
    ({"input": "-1"}, "is no price"),
    ({"input": "NaN"}, "is no price"),
    ({"input": "Infinity"}, "is no price"),
    ({"input": "free"}, "no price table"),
    ({"input": 1.5}, "Expected `str`"),
    ({"valid_from": "2026"}, "'2026' is no day"),
    ({"multipliers": {"fast": "1.23456"}}, "is no multiplier"),
    ({"inputs": "1"}, "unknown field `inputs`"),
]


@pytest.mark.parametrize(("row", "says"), BROKEN)
def test_a_table_that_is_wrong_is_refused_and_says_where(
    tmp_path: Path, row: dict[str, Any], says: str
) -> None:
    path = own(tmp_path, **row)
    with pytest.raises(SiphonError) as error:
        load_prices(path)
    assert str(path) in str(error.value) and says in str(error.value)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiphonError, match="no price table"):
        load_prices(tmp_path / "none.json")


def test_two_prices_for_one_moment_are_refused(tmp_path: Path) -> None:
    path = own(tmp_path)
    table = json.loads(path.read_text())
    table["prices"] *= 2
    path.write_text(json.dumps(table))
    with pytest.raises(SiphonError, match="p m: two prices"):
        load_prices(path)

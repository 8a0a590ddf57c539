"""The user's own prices, price lists taken in, and all costs reckoned anew."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dump import dump
from made_once import NOW, copy_of
from road import Road
from siphon import db
from siphon.cli import siphon
from siphon.errors import SiphonError
from siphon.own_prices import FIRST_ID, current_prices, forget, own_file, take
from siphon.price_import import imported
from siphon.price_table import ANYONE, PriceRow, PriceTable, load_prices
from siphon.prices import find
from siphon.reprice import outdated, reprice
from siphon.times import millis

pytest_plugins = ["made_once_fixtures"]

DAY = "2026-11-21"


def row(model: str, provider: str = ANYONE, **more: Any) -> PriceRow:
    return PriceRow(
        **{"model": model, "provider": provider, "input": "7", "output": "9", "source": "yours", **more}
    )


def priced(table: PriceTable, model: str, day: str | None = None, **how: str) -> tuple[int, str]:
    """The input price in USD per million tokens, and where it is from."""
    match = find(table, model, millis(day), **how)
    assert match is not None
    return match.price.charges[0].input // 10**9, match.price.source


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def test_an_own_price_wins_over_all_others_from_its_day_on(archive: Path) -> None:
    take(own_file(archive), [row("claude-opus-4-5", valid_from="2026-06-01")])
    table = current_prices(archive)
    assert priced(table, "claude-opus-4-5", "2026-05-31")[0] == 5
    assert priced(table, "claude-opus-4-5", "2026-06-01") == (7, "yours")
    assert priced(table, "claude-opus-4-5", "2026-06-01", provider="anthropic") == (7, "yours")
    assert priced(table, "anthropic/Claude-Opus-4.5-20251101", "2026-07-01") == (7, "yours")
    assert priced(table, "claude-opus-4-1", "2026-07-01")[0] == 15


def test_an_own_price_of_a_provider_holds_only_there(archive: Path) -> None:
    take(own_file(archive), [row("claude-opus-4-5", "my-proxy")])
    table = current_prices(archive)
    assert priced(table, "claude-opus-4-5", provider="my-proxy") == (7, "yours")
    assert priced(table, "claude-opus-4-5", provider="anthropic")[0] == 5
    assert priced(table, "claude-opus-4-5")[0] == 5


def test_an_unknown_model_gets_a_price_and_loses_it_again(archive: Path) -> None:
    path = own_file(archive)
    assert find(current_prices(archive), "house-model", NOW) is None
    assert take(path, [row("house-model"), row("other")]) == (2, 0)
    assert take(path, [row("house-model", input="8")]) == (0, 1)
    assert priced(current_prices(archive), "house-model") == (8, "yours")
    assert forget(path, "house-model", None) == 1
    assert find(current_prices(archive), "house-model", NOW) is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_own_ids_stand_above_those_of_the_table_and_versions_differ(archive: Path) -> None:
    table = load_prices()
    take(own_file(archive), [row("b"), row("a")])
    mine = current_prices(archive)
    assert mine.version != table.version
    assert [price.id for price in mine.rows[len(table.rows) :]] == [FIRST_ID, FIRST_ID + 1]
    assert mine.rows[: len(table.rows)] == table.rows


@pytest.mark.parametrize("price", ["-1", "free", "0.1234567891", "NaN"])
def test_what_is_no_price_is_refused_and_the_file_stays(archive: Path, price: str) -> None:
    take(own_file(archive), [row("kept")])
    with pytest.raises(SiphonError):
        take(own_file(archive), [row("bad", input=price)])
    assert [price.model for price in current_prices(archive).rows[-1:]] == ["kept"]


def test_a_damaged_file_is_told(archive: Path) -> None:
    own_file(archive).parent.mkdir(exist_ok=True)
    own_file(archive).write_text('{"prices": [{"modell": 1}]}')
    with pytest.raises(SiphonError, match=r"prices\.json: no price table"):
        current_prices(archive)


LITELLM = {
    "sample_spec": {"litellm_provider": "one of", "mode": "chat", "input_cost_per_token": 0},
    "claude-opus-4-5": {  # as siphon knows it
        "litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 5e-06,
        "output_cost_per_token": 2.5e-05, "cache_read_input_token_cost": 5e-07,
        "cache_creation_input_token_cost": 6.25e-06, "cache_creation_input_token_cost_above_1hr": 1e-05,
    },
    "claude-haiku-4-5": {  # dearer than siphon knows it
        "litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 2e-06,
        "output_cost_per_token": 1e-05,
    },
    "xai/grok-99": {
        "litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05, "input_cost_per_token_above_200k_tokens": 2.5e-06,
        "cache_creation_input_token_cost": 0,
    },
    "text-embedding": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-8},
    "half": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6},
}  # fmt: skip


def test_a_list_of_litellm_is_read_and_what_is_known_left_out() -> None:
    table = load_prices()
    found = imported(json.dumps(LITELLM).encode(), "f.json", DAY, table)
    assert (found.known, found.skipped) == (1, 1)
    told = {(one.provider, one.model): one for one in found.rows}
    haiku, grok = told["anthropic", "claude-haiku-4-5"], told["x-ai", "grok-99"]
    assert (haiku.valid_from, haiku.input, haiku.cache_read) == (DAY, "2", None)
    assert (grok.valid_from, grok.input, grok.cache_write_5m) == (None, "1.25", None)
    assert [(band.over, band.input, band.output) for band in grok.bands] == [(200_000, "2.5", "10")]
    assert len(told) == 2


GENAI = [
    {
        "id": "x-ai",
        "name": "X AI",
        "models": [
            {
                "id": "grok-99",
                "match": {"equals": "grok-99"},
                "prices": [
                    {"prices": {"input_mtok": 1, "output_mtok": 4}},
                    {
                        "constraint": {"start_date": "2026-03-01"},
                        "prices": {
                            "input_mtok": {"base": 2, "tiers": [{"start": 200000, "price": 4}]},
                            "output_mtok": 8.5,
                            "cache_read_mtok": 0.2,
                        },
                    },
                ],
            },
            {"id": "images", "match": {"equals": "images"}, "prices": {"input_mtok": 1}},
        ],
    }
]


def test_a_list_of_genai_prices_keeps_its_days() -> None:
    found = imported(json.dumps(GENAI).encode(), "f.json", DAY, load_prices())
    assert [(one.valid_from, one.input, one.output) for one in found.rows] == [
        (None, "1", "4"),
        ("2026-03-01", "2", "8.5"),
    ]
    (band,) = found.rows[1].bands
    assert (band.over, band.input, band.output, band.cache_read) == (200_000, "4", "8.5", "0.2")
    assert found.skipped == 1


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"nonsense", b'{"a": {"b": 1}}'])
def test_a_file_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(SiphonError, match=r"f\.json"):
        imported(content, "f.json", DAY, load_prices())


# --- reprice ---


@pytest.fixture(scope="module")
def demo(demo_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Road:
    return copy_of(demo_road, tmp_path_factory.mktemp("prices"))


@pytest.fixture(scope="module")
def real(real_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Road:
    return copy_of(real_road, tmp_path_factory.mktemp("real"))


def _models(way: Road) -> list[str]:
    with closing(db.connect(way.database)) as connection:
        query = "select model from requests where model is not null group by 1 order by count(*) desc"
        return [name for (name,) in connection.execute(query)]


@pytest.mark.parametrize("which", ["demo", "real"])
def test_repricing_gives_what_a_rebuild_gives(which: str, request: pytest.FixtureRequest) -> None:
    way: Road = request.getfixturevalue(which)
    first, *others = _models(way)
    take(
        own_file(way.config.archive),
        [row(first, cache_read="0.5", valid_from="2026-01-01"), *(row(name) for name in others[:2])],
    )
    told = []
    with closing(db.connect(way.database, write=True)) as connection:
        table = current_prices(way.archive.root)
        assert outdated(connection, table)
        done = reprice(connection, table, lambda *step: told.append(step))
        assert not outdated(connection, table)
        assert reprice(connection, table).changed == 0
    assert done.changed > 0 and told[-1] == (done.requests, done.requests)
    assert done.after is not None and done.before is not None
    difference = sum((one.after or 0) - (one.before or 0) for one in done.shifts)
    assert done.after - done.before == difference
    repriced = dump(way.database)
    way.load(rebuild=True)
    assert dump(way.database) == repriced


def test_a_load_after_a_change_of_prices_reprices_what_it_does_not_read(demo: Road) -> None:
    with closing(db.connect(demo.database)) as connection:
        before = connection.execute("select max(rowid), max(loaded_at) from logs").fetchone()
    take(own_file(demo.config.archive), [row(_models(demo)[0], input="11")])
    assert demo.load().changed == 0
    repriced = dump(demo.database)
    with closing(db.connect(demo.database)) as connection:
        assert connection.execute("select max(rowid), max(loaded_at) from logs").fetchone() == before
    demo.load(rebuild=True)
    assert dump(demo.database) == repriced


# --- the commands ---


def run(way: Road, *words: str) -> Any:
    file = way.database.parent / "prices-test.yml"
    file.write_text(f"archive: {way.config.archive}\ndatabase: {way.database}\n")
    return CliRunner().invoke(siphon, ["--config", str(file), *words], catch_exceptions=True)


def test_the_commands_set_show_list_reprice_explain_and_forget(demo: Road) -> None:
    model = _models(demo)[0]
    assert run(demo, "prices", "set", model, "--input", "1", "--output", "100").exit_code == 0
    shown = json.loads(run(demo, "prices", "show", model, "--json").stdout)
    assert (shown["price"]["output"], shown["price"]["own"]) == (100.0, True)
    listed = run(demo, "prices", "list", "--own")
    assert f"{model} *" in listed.stdout
    done = json.loads(run(demo, "reprice", "--json").stdout)
    assert done["changed"] > 0 and model in {one["model"] for one in done["models"]}
    explained = json.loads(run(demo, "usage", "model", "--model", model, "--explain", "--json").stdout)
    assert {one["table"].split(",")[0] for one in explained} == {"yours"}
    assert run(demo, "prices", "forget", model).exit_code == 0
    assert isinstance(run(demo, "prices", "forget", model).exception, SiphonError)


def test_bad_words_are_told(demo: Road) -> None:
    for words in (
        ("prices", "show", "no-such-model"),
        ("prices", "set", "m", "--input", "cheap", "--output", "1"),
        ("prices", "set", "m", "--input", "1", "--output", "1", "--from", "soon"),
        ("prices", "import", "no-such-file.json"),
    ):
        assert isinstance(run(demo, *words).exception, SiphonError), words

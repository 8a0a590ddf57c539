"""`siphon usage`: its sums against plain counts, days in any zone, blocks, and the command line."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from conftest import CHECKOUT
from made_once import NOW
from road import Road
from siphon import blocks, usage, zones
from siphon.blocks import BLOCK, HOUR
from siphon.cli_usage import statusline
from siphon.errors import SiphonError
from siphon.origins import origins
from siphon.texttable import Column, printed, wide
from siphon.texttable import Line as Text
from siphon.usage import Asked, Line, Sum
from siphon.usage_rows import table_of

pytest_plugins = ["made_once_fixtures"]

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


@pytest.fixture(scope="module")
def demo(demo_road: Road) -> Path:
    """The folder of a made-up fleet, loaded."""
    return demo_road.database.parent


@pytest.fixture(scope="module", params=["demo_road", "real_road"])
def connection(request: pytest.FixtureRequest) -> sqlite3.Connection:
    made: Road = request.getfixturevalue(request.param)
    return sqlite3.connect(f"file:{made.database}?mode=ro", uri=True)


def requests(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every request that is no copy, with where it belongs."""
    found = connection.execute("select * from billed_requests")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def asked(zone: str = "UTC", **more: Any) -> Asked:
    return Asked(zones.zone(zone), **more)


def figures(line: Line) -> tuple[Any, ...]:
    return line.key, line.sum.requests, line.sum.tokens, line.sum.cost_nanousd


def slow(rows: list[dict[str, Any]], key: Any) -> Counter[tuple[Any, ...]]:
    sums: dict[Any, list[Any]] = {}
    for row in rows:
        into = sums.setdefault(key(row), [0, 0, None])
        into[0] += 1
        names = ("input", "cache_read", "cache_write", "cache_write_1h", "output")
        into[1] += sum(row[f"{name}_tokens"] or 0 for name in names)
        cost = row["cost_nanousd"] if row["cost_nanousd"] is not None else row["reported_nanousd"]
        if cost is not None:
            into[2] = (into[2] or 0) + cost
    return Counter((name, *values) for name, values in sums.items())


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_the_local_one_of_the_hour_in_which_a_request_began(
    connection: sqlite3.Connection, zone: str
) -> None:
    def day(row: dict[str, Any]) -> str | None:
        if row["ts"] is None:
            return None
        hour = row["ts"] - row["ts"] % HOUR
        return datetime.fromtimestamp(hour / 1000, ZoneInfo(zone)).date().isoformat()

    found = usage.lines(connection, "daily", asked(zone))
    assert Counter(map(figures, found)) == slow(requests(connection), day)
    days = [line.key for line in found if line.key is not None]
    assert days == sorted(days)


@pytest.mark.parametrize("by", ["weekly", "monthly"])
def test_weeks_begin_on_monday_and_months_on_the_first(connection: sqlite3.Connection, by: str) -> None:
    def period(row: dict[str, Any]) -> str | None:
        if row["ts"] is None:
            return None
        day = datetime.fromtimestamp(row["ts"] / 1000, UTC).date()
        week = date.fromordinal(day.toordinal() - day.weekday()).isoformat()
        return week if by == "weekly" else f"{day:%Y-%m}"

    assert Counter(map(figures, usage.lines(connection, by, asked()))) == slow(
        requests(connection), period
    )


@pytest.mark.parametrize(("by", "column"), [("session", "session_uid"), *((k, k) for k in usage.THINGS)])
def test_things_and_sessions(connection: sqlite3.Connection, by: str, column: str) -> None:
    found = usage.lines(connection, by, asked())
    assert Counter(map(figures, found)) == slow(requests(connection), lambda row: row[column] or None)


def test_every_table_has_the_same_total_and_each_line_is_the_sum_of_its_models(
    connection: sqlite3.Connection,
) -> None:
    tables = [usage.lines(connection, by, asked()) for by in usage.BY if by != "blocks"]
    totals = {usage.added(line.sum for line in table) for table in tables}
    assert len(totals) == 1
    for line in (line for table in tables for line in table):
        assert usage.added(sum_ for _, sum_ in line.models) == line.sum


def test_filters_leave_out_what_is_not_asked(connection: sqlite3.Connection) -> None:
    rows = requests(connection)
    host, source = rows[0]["host"], rows[0]["source"]
    model = next(row["model"] for row in rows if row["model"])
    since, until = date(2026, 6, 1), date(2026, 10, 31)

    def wanted(row: dict[str, Any]) -> bool:
        day = None if row["ts"] is None else datetime.fromtimestamp(row["ts"] / 1000, UTC).date()
        return day is not None and since <= day <= until and row["host"] == host

    found = usage.lines(connection, "model", asked(since=since, until=until, hosts=(host,)))
    assert Counter(map(figures, found)) == slow(list(filter(wanted, rows)), lambda row: row["model"])
    one = usage.lines(connection, "source", asked(sources=(source,), models=(model,)))
    mine = [row for row in rows if row["source"] == source and row["model"] == model]
    assert Counter(map(figures, one)) == slow(mine, lambda row: row["source"])


def test_blocks_are_those_of_the_view(connection: sqlite3.Connection) -> None:
    view = connection.execute(
        "select source, begin, last_hour, requests, cost_usd from blocks order by begin, source"
    ).fetchall()
    found = [
        (one.source, one.begin, one.last_hour, one.line.sum.requests, one.line.sum.cost_usd)
        for one in blocks.blocks(connection, asked())
    ]
    assert [row[:4] for row in found] == [row[:4] for row in view]
    assert [row[4] for row in found] == pytest.approx([row[4] for row in view])


def test_origins_hold_every_request_and_say_what_has_no_price(connection: sqlite3.Connection) -> None:
    found = origins(connection, asked())
    rows = requests(connection)
    assert sum(one.requests for one in found) == len(rows)
    unpriced = sum(one.requests for one in found if one.price_id is None)
    assert unpriced == sum(row["cost_nanousd"] is None for row in rows)
    assert all((one.rule is None) == (one.price_id is None) for one in found)
    in_no_sum = sum(row["cost_nanousd"] is None and row["reported_nanousd"] is None for row in rows)
    assert sum(one.unpriced_requests for one in found) == in_no_sum
    assert sum(one.incomplete_requests for one in found) == sum(row["incomplete"] for row in rows)
    both = [row for row in rows if None not in (row["cost_nanousd"], row["reported_nanousd"])]
    assert sum(one.stated_requests for one in found) == len(both)
    difference = sum(row["cost_nanousd"] - row["reported_nanousd"] for row in both) / 1e9
    assert sum(one.difference_usd or 0 for one in found) == pytest.approx(difference)


# --- clocks that change ---


def hours(*begins: int) -> sqlite3.Connection:
    """A database with one request in each of these hours."""
    connection = sqlite3.connect(":memory:")
    connection.executescript((CHECKOUT / "siphon" / "schema.sql").read_text())
    connection.execute(
        "insert into sessions (id, uid, host, source, native_id, log_id, kind, requests)"
        " values (1, 'h/s/n', 'h', 's', 'n', 1, 'main', 1)"
    )
    for at in begins:
        connection.execute(
            "insert into usage_hours values"
            " (1, ?, 'm', 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 5, null, 1, null, null)",
            [at],
        )
    return connection


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_the_night_the_clocks_go_back_has_25_hours() -> None:
    first, last = ms("2026-10-24T22:00Z"), ms("2026-10-25T23:00Z")
    with closing(hours(*range(first, last + HOUR, HOUR))) as connection:
        days = usage.lines(connection, "daily", asked("Europe/Berlin"))
    assert [(line.key, line.sum.requests) for line in days] == [("2026-10-25", 25), ("2026-10-26", 1)]


def test_the_night_the_clocks_go_forward_has_23_hours() -> None:
    first, last = ms("2026-03-28T23:00Z"), ms("2026-03-29T22:00Z")
    with closing(hours(*range(first, last + HOUR, HOUR))) as connection:
        days = usage.lines(connection, "daily", asked("Europe/Berlin"))
        since = usage.lines(connection, "daily", asked("Europe/Berlin", since=date(2026, 3, 30)))
    assert [(line.key, line.sum.requests) for line in days] == [("2026-03-29", 23), ("2026-03-30", 1)]
    assert [line.key for line in since] == ["2026-03-30"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_day_begins_when_the_clocks_say_so(zone: str) -> None:
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1), date(2026, 7, 4)):
        local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        assert zones.begin(day, zones.zone(zone)) == round(local.timestamp() * 1000)


def test_every_change_of_a_zones_clocks_is_found() -> None:
    found = list(
        zones.shifts(ms("2024-01-01T00:00Z"), ms("2026-12-31T00:00Z"), zones.zone("Europe/Berlin"))
    )
    changes = ("2024-03-31", "2024-10-27", "2025-03-30", "2025-10-26", "2026-03-29", "2026-10-25")
    assert [when for when, _ in found] == [ms(f"{day}T01:00Z") for day in changes]
    assert [shift // HOUR for _, shift in found] == [2, 1, 2, 1, 2, 1]


def test_requests_without_a_time_are_a_line_of_their_own_and_in_no_range() -> None:
    with closing(hours(-1, ms("2026-01-01T00:00Z"))) as connection:
        assert [line.key for line in usage.lines(connection, "daily", asked())] == ["2026-01-01", None]
        ranged = usage.lines(connection, "daily", asked(until=date(2030, 1, 1)))
    assert [line.key for line in ranged] == ["2026-01-01"]


def test_an_unknown_zone_is_told() -> None:
    with pytest.raises(SiphonError, match="Europe/Berlin or UTC"):
        zones.zone("Mars/Phobos")
    with pytest.raises(SiphonError):
        zones.zone("../../etc/passwd")


def test_an_empty_database_has_no_lines() -> None:
    with closing(hours()) as connection:
        assert [usage.lines(connection, by, asked()) for by in usage.BY if by != "blocks"] == [[]] * 8
        assert blocks.blocks(connection, asked()) == []
        assert blocks.now(connection, asked(), NOW).block is None


def test_a_block_begins_with_the_first_hour_after_the_last_ones_end() -> None:
    begin = ms("2026-01-01T09:00Z")
    with closing(hours(begin, begin + 4 * HOUR, begin + 5 * HOUR, begin + 11 * HOUR)) as connection:
        found = blocks.blocks(connection, asked())
    assert [(one.begin - begin) // HOUR for one in found] == [0, 5, 11]
    assert [one.hours for one in found] == [5, 1, 1]


def test_the_status_line_says_what_runs() -> None:
    begin = ms("2026-01-01T09:00Z")
    with closing(hours(begin, begin + HOUR)) as connection:
        now = blocks.now(connection, asked(), begin + 2 * HOUR)
        later = blocks.now(connection, asked(), begin + BLOCK)
    assert statusline(now, begin + 2 * HOUR) == (
        "today <$0.0001 · month <$0.0001 · block <$0.0001 at <$0.0001/h, 3 h 00 min left"
    )
    assert later.block is None


def test_an_unknown_cost_is_not_zero() -> None:
    unknown = Sum(1, 1, 0, 5, 0, 0, 0, 0, 0, None, None)
    assert usage.added([unknown, unknown]).cost_nanousd is None
    assert usage.added([unknown, unknown._replace(cost_nanousd=3)]).cost_nanousd == 3


# --- the command ---


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "siphon", "--config", str(folder / "siphon.yml"), "usage", *words],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("by", [*usage.BY, "statusline"])
def test_each_table_prints(demo: Path, by: str) -> None:
    done = run(demo, by)
    assert done.returncode == 0, done.stderr
    assert "$" in done.stdout


def test_json_is_one_document_with_stable_keys(demo: Path) -> None:
    found = json.loads(run(demo, "monthly", "--json", "--timezone", "Europe/Berlin").stdout)
    assert list(found) == ["by", "timezone", "rows", "total", "unpriced"]
    assert (found["by"], found["timezone"]) == ("monthly", "Europe/Berlin")
    assert found["total"]["requests"] == sum(row["requests"] for row in found["rows"])
    assert {"key", "cost_usd", "tokens", "models"} <= found["rows"][0].keys()


@pytest.mark.parametrize("by", ["session", "blocks"])
def test_a_list_cut_short_still_sums_up_all(connection: sqlite3.Connection, by: str) -> None:
    whole = table_of(connection, by, asked(), NOW)
    short = table_of(connection, by, asked(), NOW, limit=2)
    assert short.rows == whole.rows[-2:]
    assert short.earlier == len(whole.rows) - 2
    assert whole.total == usage.added(row.line.sum for row in whole.rows)
    assert (short.total, short.unpriced) == (whole.total, whole.unpriced)


def test_columns_are_cut_where_the_terminal_ends() -> None:
    columns = [Column("Name", cut=True), Column("Count", right=True)]
    lines = [Text(("工具 " * 20, "5")), Text(("short", "12,345"))]
    shown = list(printed(columns, lines, ("All", "12,350"), width=30))
    assert [wide(line) for line in shown] == [30, 30, 30, 30]
    assert "…" in shown[1] and shown[1].endswith(" 5")
    assert next(printed(columns, [])) == "Name  Count"


def test_csv_has_a_line_each_and_no_formulas(demo: Path) -> None:
    done = run(demo, "session", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    with closing(sqlite3.connect(demo / "siphon.db")) as connection:
        ((total,),) = connection.execute("select sum(requests) from sessions")
    assert sum(int(row["requests"]) for row in rows) == total
    assert [row for row in rows if row["title"][:1] in ("=", "+", "-", "@")] == []


def test_explain_says_where_each_figure_comes_from(demo: Path) -> None:
    found = json.loads(run(demo, "model", "--explain", "--json").stdout)
    assert all(one["price_id"] is not None and one["rule"] and one["table"] for one in found)


def test_a_narrow_terminal_gets_fewer_columns(demo: Path) -> None:
    wide = run(demo, "daily").stdout.splitlines()[0]
    assert "Cache read" in wide and "Models" in wide
    broken = run(demo, "daily", "--breakdown").stdout.splitlines()[0]
    assert "Models" not in broken


@pytest.mark.parametrize("words", [["--since", "yesterday"], ["--timezone", "Mars/Phobos"]])
def test_bad_input_is_one_line(demo: Path, words: list[str]) -> None:
    done = run(demo, *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)

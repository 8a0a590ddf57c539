"""Home, files, tools and exports: what is summed, what is listed, what is saved."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from road import Road
from siphon import figures
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.export import Wanted, export, file_name
from siphon.overview import DAY_MS, WEEKS, calendar, costs, hosts, overview
from siphon.session_list import Asked, sessions
from siphon.sessions import find, header
from siphon.times import millis
from siphon.urls import Here, session_url
from siphon.work import edit_facets, files_edited, tools_used
from website import HOSTILE, LONG, RICH

pytest_plugins = ["website_fixtures"]

NOW = millis("2026-03-04T12:00:00Z") or 0
PARENT = "0000000a-0000-4000-8000-00000000000a"


@pytest.fixture(scope="module")
def db(road: Road) -> Iterator[sqlite3.Connection]:
    with closing(connect(road.database)) as connection:
        yield connection


def test_a_week_and_the_one_before_hold_what_fell_into_them(db: sqlite3.Connection) -> None:
    now, later = overview(db, NOW), overview(db, NOW + 5 * DAY_MS)
    assert (now.until, later.until) == (None, None)
    assert later.week.requests > 0 and later.before.requests > 0
    assert later.before.requests + later.week.requests == now.week.requests
    assert later.before.tokens + later.week.tokens == now.week.tokens


def test_a_quiet_week_gives_way_to_the_last_busy_one(db: sqlite3.Connection) -> None:
    seen = overview(db, NOW + 30 * DAY_MS)
    assert seen.until is not None and figures.day(seen.until) == "2026-03-03"
    assert seen.week.requests > 100
    assert sum(bar.cost_usd for bar in seen.month.bars) > 0


def test_the_calendar_is_a_year_that_ends_today(db: sqlite3.Connection) -> None:
    days = calendar(db, NOW).days
    assert [days[-1].day, days[-1].row] == ["2026-03-04", 2]  # a Wednesday
    assert (WEEKS - 1) * 7 < len(days) <= WEEKS * 7
    assert [one.day for one in days] == sorted(one.day for one in days)
    busy = {one.day: one for one in days if one.level}
    assert "2026-03-01" in busy and busy["2026-03-02"].prompts == 2
    assert {one.level for one in days} <= set(range(5))


def test_the_bars_add_up_to_each_tools_cost(db: sqlite3.Connection) -> None:
    month = costs(db, NOW)
    assert month.costs
    for one in month.costs:
        parts = [part.cost_usd for bar in month.bars for part in bar.slices if part.source == one.source]
        assert sum(parts) == pytest.approx(one.cost_usd)


def test_recent_sessions_are_those_that_ended_last(db: sqlite3.Connection) -> None:
    ends = [one.ended_at or 0 for one in overview(db, NOW).recent]
    assert ends == sorted(ends, reverse=True)
    assert ends[0] == max(one.ended_at or 0 for one in sessions(db, Asked(limit=500)).sessions)


def test_a_host_not_collected_for_days_needs_attention(db: sqlite3.Connection) -> None:
    collected = db.execute("select max(collected_at) from hosts").fetchone()[0]
    assert [host.worries for host in hosts(db, collected + 1)] == [[], []]
    assert all("not collected since" in host.worries[0] for host in hosts(db, collected + 4 * DAY_MS))


def test_files_lead_to_their_last_edit(db: sqlite3.Connection) -> None:
    files = {file.path: file for file in files_edited(db, [])}
    edited = files["/home/ada/app/src/tide.py"]
    assert (edited.session, edited.lines_added, edited.lines_removed) == (
        f"laptop/claude_code/{RICH}", 1, 1,
    )  # fmt: skip
    assert [file.ts for file in files_edited(db, [])] == sorted(
        (f.ts for f in files.values()), reverse=True
    )
    assert [file.path for file in files_edited(db, [("path", "tide")])] == [edited.path]


def test_tools_servers_and_commands_are_told_apart(db: sqlite3.Connection) -> None:
    found = tools_used(db, [("days", "all"), ("host", "laptop")], NOW)
    counted = db.execute(
        "select count(*) from tool_calls c join sessions s on s.id = c.session_id"
        " where c.copy_of is null and s.host = 'laptop'"
    ).fetchone()[0]
    assert sum(tool.calls for tool in found.tools) == counted
    assert {"grep", "false"} <= {one.name for one in found.commands}
    assert next(one for one in found.commands if one.name == "false").errors == 1


def test_facets_of_edits_and_calls_sum_to_what_is_listed(db: sqlite3.Connection) -> None:
    edits = sum(file.edits for file in files_edited(db, []))
    assert {name: sum(n for _, n in values) for name, values in edit_facets(db, []).items()} == {
        "source": edits, "host": edits, "project": edits,
    }  # fmt: skip
    found = tools_used(db, [("days", "all")], NOW)
    assert sum(n for _, n in found.facets["host"]) == sum(tool.calls for tool in found.tools)
    only = tools_used(db, [("days", "all"), ("source", "codex")], NOW)
    assert dict(found.facets["source"])["codex"] == sum(tool.calls for tool in only.tools)


def test_tools_of_a_day_are_only_that_days(db: sqlite3.Connection) -> None:
    assert tools_used(db, [("since", "2026-06-01")], NOW).tools == []


@pytest.mark.parametrize("given", [[("colour", "red")], [("days", "8")], [("since", "soon")]])
def test_what_tools_cannot_be_asked_is_said(
    db: sqlite3.Connection, given: list[tuple[str, str]]
) -> None:
    with pytest.raises(SiphonError):
        tools_used(db, given, NOW)


# Exports


def saved(db: sqlite3.Connection, road: Road, name: str, form: str, **wanted: bool) -> str:
    return b"".join(export(db, road.archive, find(db, name), form, Wanted(**wanted))).decode()


def test_an_export_of_the_log_is_its_bytes(db: sqlite3.Connection, road: Road) -> None:
    log = next((road.config.hosts[0].home or Path()).rglob(f"{RICH}.jsonl"))
    assert saved(db, road, RICH, "raw") == log.read_text()


def test_an_export_as_markdown_holds_everything(db: sqlite3.Connection, road: Road) -> None:
    text = saved(db, road, RICH, "md")
    assert text.startswith("# Everything at once\n")
    for needle in ("needlethought", "needleinput", "needleoutput", "needlereply", "fix the tide table"):
        assert needle in text
    assert text.count("needleoutput") == 400
    assert "needleoutput" not in saved(db, road, RICH, "md", output=False)


def test_an_export_as_json_is_what_the_api_tells(db: sqlite3.Connection, road: Road) -> None:
    whole = json.loads(saved(db, road, LONG, "json"))
    assert len(whole["records"]) == whole["total"] == 500
    assert whole["session"]["native_id"] == LONG


def test_subagents_are_exported_with_the_session_that_started_them(
    db: sqlite3.Connection, road: Road
) -> None:
    assert "install and upgrade" not in saved(db, road, PARENT, "md")
    assert "install and upgrade" in saved(db, road, PARENT, "md", subagents=True)
    assert len(json.loads(saved(db, road, PARENT, "json", subagents=True))) == 2


def test_an_export_as_html_is_one_file_that_runs_nothing(db: sqlite3.Connection, road: Road) -> None:
    html = saved(db, road, HOSTILE, "html")
    assert "default-src 'none'" in html
    for forbidden in ("<script", "<img", "<iframe", "<link", "<base", 'src="', 'href="javascript'):
        assert forbidden not in html.replace("&lt;", "")


def test_a_file_name_suits_every_system(db: sqlite3.Connection) -> None:
    head = header(db, find(db, RICH))._replace(native_id='../a b"c/d')
    assert file_name(head, "md") == "claude_code-..-a-b-c-d.md"


# Figures and URLs


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (figures.count(None), "–"),
        (figures.count(1234), "1,234"),
        (figures.count(12_345), "12.3k"),
        (figures.count(999_999), "1.00M"),
        (figures.count(4_560_000_000), "4.56G"),
        (figures.usd(None), "–"),
        (figures.usd(0), "$0.00"),
        (figures.usd(0.00123), "$0.0012"),
        (figures.usd(12.345), "$12.35"),
        (figures.usd(1234.5), "$1,234"),
        (figures.bytes_(999), "999 B"),
        (figures.bytes_(12_345), "12.3 kB"),
        (figures.duration(85), "85 ms"),
        (figures.duration(3200), "3.2 s"),
        (figures.duration(7_500_000), "2 h 05 min"),
        (figures.duration(100_000_000), "1 d 3 h"),
        (figures.stamp(0), "1970-01-01 00:00"),
        (figures.stamp(10**18), "–"),
        (figures.iso(1_772_445_600_123), "2026-03-02T10:00:00.123Z"),
        (figures.one_line("a\n b  c", 10), "a b c"),
        (figures.one_line("abcdefgh", 5), "abcd…"),
    ],
)  # fmt: skip
def test_figures_read_well(told: str, expected: str) -> None:
    assert told == expected


@given(st.integers(0, 10**15))
def test_counts_keep_three_digits(number: int) -> None:
    text = figures.count(number)
    value = float(text.rstrip("kMGT").replace(",", "")) * {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(
        text[-1], 1
    )
    assert value == pytest.approx(number, rel=0.006)


def test_urls_of_odd_uids_lead_back_to_them() -> None:
    from urllib.parse import unquote, urlsplit

    for uid in ("a/b/c", "h/s/x y?z#1%2F", "h/s/ü~2", "h/s/a&b=c"):
        parts = urlsplit(session_url(uid, 3))
        assert unquote(parts.path) == f"/-/session/{uid}"
        assert (parts.query, parts.fragment) == ("at=3", "m3")


def test_a_filter_added_and_removed_leaves_the_url_as_it_was() -> None:
    here = Here("/-/search", [("q", "a b"), ("host", "x"), ("offset", "20")])
    assert here.add("host", "y") == "/-/search?q=a+b&host=x&host=y"
    assert here.remove("host", "x") == "/-/search?q=a+b"
    assert here.put("sort", "oldest") == "/-/search?q=a+b&host=x&sort=oldest"
    assert here.page("offset", 40) == "/-/search?q=a+b&host=x&offset=40"

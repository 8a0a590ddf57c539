"""Reports to send: their sums, their forms, and that they need nothing else and hold no live markup."""

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser

from chromium import chromium
from made_once import NOW, copy_of
from road import Road, road
from siphon import zones
from siphon.budgetconfig import Budget
from siphon.choice import Choice
from siphon.cli import siphon
from siphon.config import load_config
from siphon.errors import SiphonError
from siphon.report import KINDS, build, written
from siphon.usage_page import FORMS, question, table, text, wanted
from website import served

pytest_plugins = ["made_once_fixtures"]

EVIL = '<img src=http://evil.example/x onerror="alert(1)"> [a](http://evil.example) =cmd() \x1b[31m'
WHOLE = Choice(date(2026, 1, 1), date(2027, 1, 1), False, (), (), (), zones.zone("UTC"))


@pytest.fixture(scope="module")
def demo(demo_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up fleet; a title, a project and a model are hostile, and that model has no price."""
    folder = tmp_path_factory.mktemp("report")
    copy_of(demo_road, folder)
    with closing(sqlite3.connect(folder / "siphon.db")) as connection:
        connection.execute("update sessions set title = ?", [EVIL])
        connection.execute("update projects set name = ? where id = 1", [EVIL])
        connection.execute(
            "update usage_hours set model = ?, cost_nanousd = null, unpriced_requests = requests"
            " where session_id = (select min(session_id) from usage_hours)",
            [EVIL],
        )
        connection.commit()
    return folder / "siphon.db"


@pytest.fixture
def connection(demo: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{demo}?mode=ro", uri=True)) as found:
        yield found


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    (tmp_path / "home").mkdir()
    way = road(tmp_path, {"nothing": tmp_path / "home"})
    way.go()
    with closing(sqlite3.connect(way.database)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_one_file_that_asks_nobody_and_runs_nothing(
    connection: sqlite3.Connection, browser: Browser, kind: str, tmp_path: Path
) -> None:
    text = written(build(connection, kind, WHOLE), ".html")
    assert "<img" not in text and "<script" not in text and "\x1b" not in text
    assert text.count("<svg") >= 1
    (tmp_path / "report.html").write_text(text)
    asked: list[str] = []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        assert page.locator("svg").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.close()
    assert len(asked) >= 2
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_words_of_logs_are_no_markup_in_markdown(connection: sqlite3.Connection, kind: str) -> None:
    made = build(connection, kind, WHOLE)
    plain, mail = written(made, ".md"), written(made, "mail")
    for form in (plain, mail):
        assert not re.search(r"(?<!\\)(<img|\]\(http)", form) and "\x1b" not in form
    assert "![" in plain and "](data:image/svg+xml;base64," in plain
    assert "![" not in mail and mail.startswith("Subject: ")


def test_the_finest_rows_of_cost_sum_up_to_all_usage(connection: sqlite3.Connection) -> None:
    rows = list(csv.DictReader(io.StringIO(written(build(connection, "cost", WHOLE), ".csv"))))
    ((requests, cost),) = connection.execute("select sum(requests), sum(cost_usd) from cost_by_hour")
    assert sum(int(row["requests"]) for row in rows) == requests
    assert sum(float(row["cost_usd"] or 0) for row in rows) == pytest.approx(cost)
    assert {row["day"] for row in rows} <= {
        f"2026-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 32)
    }
    assert [row for row in rows if row["project"][:1] in "=+-@" and row["project"]] == []


def test_the_finest_rows_of_activity_and_team_sum_up_to_all_work(connection: sqlite3.Connection) -> None:
    ((active, prompts),) = connection.execute(
        "select sum(active_ms), (select sum(prompts) from activity_by_hour) from active_time"
    )
    for kind in ("activity", "team"):
        rows = list(csv.DictReader(io.StringIO(written(build(connection, kind, WHOLE), ".csv"))))
        assert sum(int(row["active_ms"] or 0) for row in rows) == active
        assert sum(int(row["prompts"] or 0) for row in rows) == prompts


@pytest.mark.parametrize("kind", ["cost", "team"])
def test_what_a_sum_leaves_out_is_named(connection: sqlite3.Connection, kind: str) -> None:
    made = build(connection, kind, WHOLE)
    assert any("no price is known" in note and EVIL[:20] in note for note in made.notes)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_database_makes_an_empty_report(empty: sqlite3.Connection, kind: str) -> None:
    for form in (".html", ".md", "mail", ".csv"):
        assert written(build(empty, kind, WHOLE), form) or form == ".csv"


# --- the page ---


def test_the_pages_days_are_those_of_the_zone(connection: sqlite3.Connection) -> None:
    rows = connection.execute("select ts - ts % 3600000 from billed_requests").fetchall()
    for name in ("UTC", "Asia/Kolkata", "America/New_York"):
        asked = question([("timezone", name), ("since", "2026-01-01"), ("until", "2026-12-31")], NOW)
        found = table(connection, asked, NOW)
        slow: dict[str, int] = {}
        for (hour,) in rows:
            day = zones.local(hour, zones.zone(name)).date().isoformat()
            slow[day] = slow.get(day, 0) + 1
        assert {row.key: row.line.sum.requests for row in found.rows} == slow
        days = [row.key for row in found.rows]
        assert days == sorted(days, reverse=True)


def test_a_question_of_the_last_30_days_ends_today_in_that_zone() -> None:
    late = round(datetime(2026, 11, 21, 20, tzinfo=UTC).timestamp() * 1000)
    here, there = (question([("timezone", name)], late) for name in ("UTC", "Asia/Tokyo"))
    assert (here.since, here.until) == (date(2026, 10, 23), date(2026, 11, 21))
    assert there.until == date(2026, 11, 22)


@pytest.mark.parametrize(
    "given",
    [("by", "blocks"), ("since", "soon"), ("timezone", "Mars"), ("nonsense", "1"), ("kind", "x"),
     ("form", "pdf"), ("since", "2099-01-01")],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(given: tuple[str, str]) -> None:
    with pytest.raises(SiphonError):
        question([given], NOW) if given[0] not in ("kind", "form") else wanted([given], NOW)


@pytest.mark.parametrize("form", FORMS)
def test_the_pages_button_gives_every_form(connection: sqlite3.Connection, form: str) -> None:
    asked = wanted([("kind", "cost"), ("form", form), ("since", "2026-09-01")], NOW)
    assert text(build(connection, asked.kind, asked.chosen), form)
    assert asked.name.startswith("siphon-cost-2026-09-01-") and asked.name.endswith(FORMS[form][0])


def test_the_pages_show_usage_reports_and_budgets_and_escape_what_logs_say(demo: Path) -> None:
    config = load_config(demo.parent / "siphon.yml", {"HOME": str(demo.parent)}, demo.parent)
    budgets = (Budget("<b>all</b>", (("monthly", 10**12),)), Budget("small", (("daily", 1),)))
    with served(config._replace(budgets=budgets)) as site:
        usage = site.get("/-/usage?by=project&since=2026-01-01&until=2026-12-31&timezone=Asia/Kolkata")
        assert usage.status == 200 and "days in Asia/Kolkata" in usage.text
        assert "<img" not in usage.text and "no price is known" in usage.text
        assert "script-src 'self'" in usage.headers["content-security-policy"]
        page = site.get("/-/report?kind=team&since=2026-01-01&until=2026-12-31")
        assert page.status == 200 and page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        table = site.get("/-/report?form=csv")
        assert table.headers["content-disposition"].startswith('attachment; filename="siphon-cost-')
        assert site.get("/-/report?form=pdf").status == 400
        home = site.get("/").text
        assert "<b>all</b>" not in home and 'aria-label="Budgets"' in home


# --- the command ---


def test_the_command_writes_what_the_ending_says(demo: Path, tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(
            siphon, ["--config", str(demo.parent / "siphon.yml"), "report", *words]
        )

    for name, begin in (
        ("a.html", "<!doctype html>"),
        ("a.md", "# What it cost"),
        ("a.csv", "day,host,"),
    ):
        done = run("--since", "2026-09-01", "--until", "2026-11-30", "--to", str(tmp_path / name))
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).read_text().startswith(begin)
    assert run("team", "--email-ready", "--since", "2026-09-01").stdout.startswith(
        "Subject: Who did what"
    )
    for words in (("--to", "a.pdf"), ("--email-ready", "--to", "a.html"), ("--since", "soon")):
        assert isinstance(run(*words).exception, SiphonError)

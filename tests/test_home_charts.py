"""The home page's charts: as Vega-Lite, and drawn by vega-embed in the system's Chromium."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from claude_lines import Lines
from conftest import CHECKOUT
from road import Road
from siphon.db import connect
from siphon.home_charts import activity, cost
from siphon.overview import calendar, costs
from siphon.times import millis
from website import Site, fleet

pytest_plugins = ["website_fixtures"]

NOW = millis("2026-03-04T12:00:00Z") or 0
CELLS = "[data-chart='/-/chart/activity'] .mark-rect [role=graphics-symbol]"
WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
window.moved = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) moved += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The fleet, with two sessions of these days: the server's calendar ends today."""
    made = fleet(tmp_path_factory.mktemp("charts"))
    for days in (1, 12):
        lines = Lines(
            f"0000000c-cccc-4000-8000-0000000000{days:02}", start=datetime.now(UTC) - timedelta(days)
        )
        lines.prompt("what was done lately")
        lines.reply("this")
        lines.write(made.config.hosts[0].home or Path())
    made.go()
    return made


@pytest.fixture(scope="module")
def db(road: Road) -> Iterator[sqlite3.Connection]:
    with closing(connect(road.database)) as connection:
        yield connection


@pytest.fixture
def context(browser: Browser, website: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=website.url, color_scheme="light")
    context.add_init_script(WATCH)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, website: Site) -> Iterator[Page]:
    """Home with both charts drawn; nothing refused, nothing said, nothing asked of another host."""
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: said.append(one.text))
    page.on("request", lambda one: None if one.url.startswith(website.url) else said.append(one.url))
    page.goto("/")
    expect(page.locator("[data-chart] svg.marks")).to_have_count(2)
    yield page
    assert (page.evaluate("refused"), said) == ([], [])


def test_the_chart_of_activity_holds_the_calendars_days(db: sqlite3.Connection) -> None:
    year = calendar(db, NOW)
    spec = activity(year)
    rows = spec["datasets"]["days"]
    assert [(row["column"], row["row"], row["level"]) for row in rows] == [
        (one.column, one.row, one.level) for one in year.days
    ]
    assert [row["what"] for row in rows if row["level"]][-1].startswith("2026-03-03: ")
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    assert activity(calendar(db, 0))["datasets"]["days"] != rows  # each answer has its own data


def test_the_chart_of_cost_holds_the_bars_parts(db: sqlite3.Connection) -> None:
    month = costs(db, NOW)
    rows = cost(month)["datasets"]["slices"]
    assert sum(row["cost_usd"] for row in rows) == pytest.approx(
        sum(one.cost_usd for one in month.costs)
    )
    assert {row["place"] for row in rows} == {
        place for place, bar in enumerate(month.bars) if bar.slices
    }
    assert rows[0]["what"].startswith(f"{month.bars[rows[0]['place']].day}, ")


def test_a_chart_that_is_known_is_not_sent_again(website: Site) -> None:
    first = website.get("/-/chart/cost")
    assert first.status == 200
    assert website.get("/-/chart/cost", if_none_match=first.headers["etag"]).status == 304
    assert website.get("/-/chart/weather").status == 404


def test_charts_are_drawn_where_the_server_drew_them(
    page: Page, browser: Browser, website: Site
) -> None:
    assert page.evaluate("moved") < 0.01
    still = browser.new_context(base_url=website.url, java_script_enabled=False)
    plain = still.new_page()
    plain.goto("/")
    assert plain.locator("[data-chart] svg").count() == 2
    assert plain.locator(".calendar a[href*='day=']").count() > 0
    for name in ("activity", "cost"):
        chart = f"[data-chart='/-/chart/{name}'] svg"
        assert page.locator(chart).bounding_box() == plain.locator(chart).bounding_box()
    still.close()


def test_a_day_tells_what_it_holds_and_leads_there(page: Page) -> None:
    day = page.locator(CELLS).last
    text = str(day.get_attribute("aria-label"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: \d+ prompts?, \d+ tool calls?", text)
    day.hover()
    expect(page.locator(".tip")).to_have_text(text)
    expect(page.locator(".tip")).to_be_visible()
    page.locator("h1").hover()
    expect(page.locator(".tip")).to_be_hidden()
    day.click()
    page.wait_for_url(f"**/-/sessions?day={text[:10]}&kind=any")


def test_the_arrow_keys_go_from_day_to_day(page: Page) -> None:
    region = page.locator("[data-chart='/-/chart/activity']")
    region.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(CELLS).last).to_be_focused()
    newest = page.evaluate("document.activeElement.getAttribute('aria-label')")
    expect(page.locator(".tip")).to_have_text(newest)
    page.keyboard.press("ArrowLeft")
    older = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert older < newest
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/-/sessions?day={older[:10]}&kind=any")


def test_the_charts_follow_the_theme(page: Page) -> None:
    fill = f'getComputedStyle(document.querySelector("{CELLS}")).fill'
    light = page.evaluate(fill)
    page.locator("#theme").click()
    assert page.evaluate(fill) != light


def test_every_package_in_the_script_has_its_licence_beside_it() -> None:
    folder = CHECKOUT / "plugins" / "static" / "vega"
    rows = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| (.+) \|$", (folder / "README.md").read_text(), re.M)
    licences = (folder / "LICENSES.txt").read_text()
    assert {"vega", "vega-lite", "vega-embed", "vega-interpreter"} <= {name for name, _, _ in rows}
    assert [row for row in rows if f"{row[0]} {row[1]} ({row[2]})\n" not in licences] == []

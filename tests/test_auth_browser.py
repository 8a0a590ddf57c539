"""Logging in as a person does, in Chromium: the page, a limited reader, logging out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chromium import chromium
from road import Road, road
from siphon import auth
from siphon.auth import Account
from test_auth import DEN, IDS, OPEN, PARK, PASSWORD, SHUT, session_log
from website import Site, served


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Road:
    folder = tmp_path_factory.mktemp("login")
    homes = {host: folder / "homes" / host for host in (OPEN, SHUT)}
    for host, project in ((OPEN, PARK), (SHUT, DEN)):
        session_log(homes[host], host, project)
    made = road(folder, homes)
    made.go()
    file: Path = auth.file_of(made.database)
    auth.add_user(file, Account("eve", "reader", "", 0, hosts=(OPEN,)), PASSWORD)
    auth.add_user(file, Account("ada", "reader", "", 0), PASSWORD)
    return made


@pytest.fixture(scope="module")
def site(fleet: Road) -> Iterator[Site]:
    with served(fleet.config) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """What the browser refuses to run or load, or fails at, fails the test."""
    page = browser.new_page(base_url=site.url)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Security" in said.text else None)
    yield page
    page.close()
    assert errors == []


def _log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_limited_reader_logs_in_finds_reads_and_logs_out(page: Page) -> None:
    page.goto("/-/search?q=reply")
    expect(page).to_have_title("Log in – siphon")
    expect(page.locator("header a")).to_have_count(1)  # the brand: no link that they cannot follow
    expect(page.locator("form")).to_have_count(1)
    _log_in(page, "eve", "wrong password")
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password.")
    _log_in(page, "eve", PASSWORD)
    expect(page).to_have_url("/-/search?q=reply")
    expect(page.locator("mark").first).to_have_text("reply")
    assert "quokka" not in page.content()
    expect(page.get_by_role("navigation", name="Pages", exact=True)).not_to_contain_text("Data")
    page.goto(f"/-/session/{OPEN}/claude_code/{IDS[OPEN, PARK]}")
    expect(page.get_by_text("the reply plain")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url("/-/login")
    page.goto("/-/sessions")
    expect(page).to_have_title("Log in – siphon")


def test_datasettes_pages_work_without_inline_scripts(page: Page) -> None:
    page.goto("/siphon/sessions")
    _log_in(page, "ada", PASSWORD)
    expect(page.locator("table.rows-and-columns")).to_contain_text("quokka-box")
    page.goto("/siphon/-/query?sql=select+1+as+one")
    expect(page.locator(".cm-editor")).to_be_visible()  # made by a script that stands in the page
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url("/-/login")

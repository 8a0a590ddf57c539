"""The pages as a person uses them, in the system's Chromium."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, expect

from chromium import PATIENCE_MS, follow
from claude_lines import START, Lines
from website import HOSTILE, LONG, RICH, Site, fleet, served

pytest_plugins = ["website_fixtures"]

PAGES = (
    "/",
    "/-/search?q=tide&in=prompts,replies,thinking,input,output",
    "/-/search?q=nosuchword",
    "/-/search?sort=best",
    "/-/sessions",
    "/-/files",
    "/-/tools?days=all",
    "/-/fleet",
    "/-/problems",
    "/-/coverage",
    "/-/coverage?source=claude_code",
    f"/-/session/laptop/claude_code/{RICH}",
    f"/-/session/laptop/claude_code/{RICH}?part=3",
    f"/-/session/laptop/claude_code/{LONG}?find=number+17",
    f"/-/session/laptop/claude_code/{HOSTILE}?show=all",
)
FAULTS = """axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"],
}).then((found) => found.violations.flatMap((one) =>
    one.nodes.slice(0, 3).map((node) => `${one.id} ${node.html.slice(0, 160)}`)))"""
FOUND = f"/-/session/laptop/claude_code/{HOSTILE}?find=hostile&at=3#m3"
EVERYWHERE = "/-/search?q=hostile&in=prompts,replies,thinking,input,output"
SESSION = f"/-/session/laptop/claude_code/{RICH}"
LIVE = "00000004-aaaa-4000-8000-0000000000a4"
OTHER = "00000005-aaaa-4000-8000-0000000000a5"


def opened(browser: Browser, website: Site, **options: object) -> BrowserContext:
    """A browser of its own, whose relative URLs are the website's; a script's error fails the test."""
    context = browser.new_context(base_url=website.url, **options)  # type: ignore[arg-type]  # as given
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(path=Path(__file__).with_name("page_checks.js"))
    return context


@pytest.fixture
def page(browser: Browser, website: Site) -> Iterator[Page]:
    context = opened(browser, website, viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def at(page: Page) -> str:
    """Path, query and anchor."""
    parts = urlsplit(page.url)
    return parts._replace(scheme="", netloc="").geturl()


def test_search_facet_open_find_permalink_and_back(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("tide")
    page.keyboard.press("Enter")
    follow(page.locator(".facets").get_by_role("link", name="Prompt"))
    assert at(page) == "/-/search?q=tide&kind=prompt"
    expect(page.locator(".chosen")).to_contain_text("Prompt")
    page.locator(".hitline").first.click()
    expect(page.locator(":target")).to_be_in_viewport()
    expect(page.locator(":target")).to_contain_text("fix the tide table")
    page.locator("#within-q").fill("table")
    page.keyboard.press("Enter")
    expect(page.locator(".hits h2")).to_contain_text("hit")
    page.locator(".hits li a").first.click()
    link = page.locator(":target .perma").first.get_attribute("href")
    page.goto(str(link))
    expect(page.locator(":target")).to_be_in_viewport()
    for _ in range(4):
        page.go_back()
    assert at(page) == "/-/search?q=tide&kind=prompt"
    follow(page.locator(".chosen a").first)
    assert at(page) == "/-/search?q=tide"


def test_the_keyboard_is_enough(page: Page) -> None:
    page.goto(SESSION)
    page.keyboard.press("/")
    expect(page.locator("#bar-q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.closest('[data-seq]').dataset.seq")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('[data-seq]').dataset.seq") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('[data-seq]').dataset.seq") == first
    page.keyboard.press("y")
    expect(page.locator("#said")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"?at={first}#m{first}")
    page.keyboard.press("r")
    expect(page.locator("#said")).to_have_text("Resume command copied")
    assert (
        page.evaluate("navigator.clipboard.readText()") == f"cd /home/ada/app && claude --resume {RICH}"
    )
    page.keyboard.press("f")
    assert page.locator(".transcript details:not([open])").count() == 0
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("copy the resume command")


@pytest.mark.parametrize("path", ["/", "/-/sessions", EVERYWHERE, FOUND, PAGES[-1]])
def test_no_text_of_a_log_reorders_a_page_or_hides_in_it(website: Site, path: str) -> None:
    shown = website.get(path.partition("#")[0]).text
    assert "hostile" in shown
    assert (
        re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]", shown)
        == []
    )


def test_next_and_last_hit_lead_through_the_session(page: Page) -> None:
    page.goto(f"/-/session/laptop/claude_code/{LONG}?find=17")
    page.keyboard.press("]")
    expect(page.locator(":target")).to_contain_text("number 17")
    first = at(page)
    page.keyboard.press("]")
    page.wait_for_url(lambda url: not url.endswith(first))
    expect(page.locator(":target")).to_be_in_viewport()
    page.keyboard.press("[")
    page.wait_for_url(lambda url: url.endswith(first))


def test_a_list_is_stepped_through(page: Page) -> None:
    page.goto("/-/sessions")
    page.keyboard.press("j")
    page.keyboard.press("j")
    title = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(title)


def test_nothing_needs_scripts(browser: Browser, website: Site) -> None:
    context = opened(browser, website, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.locator("#q").fill("needleoutput")
    page.locator("form.hero button").click()
    page.locator(".hitline").first.click()
    expect(page.locator(":target")).to_have_attribute("open", "")
    follow(page.locator(":target .rest"))
    assert page.locator("text=needleoutput").count() > 0
    assert page.content().count("needleoutput") > 390
    page.goto(f"/-/session/laptop/claude_code/{LONG}")
    page.locator(".pager [rel=next]").first.click()
    expect(page.locator(".said")).to_have_count(200)
    page.goto(f"/-/session/laptop/claude_code/{HOSTILE}")
    label = page.locator("label", has_text="Show the whole prompt").first
    if label.count():
        label.click()
        expect(label).to_be_hidden()
    context.close()


def test_what_was_left_out_comes_in_place(page: Page) -> None:
    page.goto(SESSION)
    call = page.locator("details.call", has_text="grep -rn needleinput src")
    call.locator("summary").click()
    call.locator("a.rest").click()
    expect(call.locator("a.rest")).to_have_count(0)
    assert call.inner_text().count("needleoutput") == 400
    assert at(page) == SESSION


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_an_accessibility_fault(browser: Browser, website: Site, path: str) -> None:
    """WCAG 2.2 A and AA as axe-core sees them: names, roles, order, contrast, sizes; light and dark."""
    context = opened(browser, website, color_scheme="light", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(path)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate(AXE_SCRIPT)
    faults = {"light": page.evaluate(FAULTS)}
    page.emulate_media(color_scheme="dark")
    faults["dark"] = page.evaluate(FAULTS)
    order = page.evaluate("outOfOrder()")
    context.close()
    assert (faults, order) == ({"light": [], "dark": []}, [])


def test_axe_would_see_a_fault(page: Page) -> None:
    page.goto("/-/sessions")
    page.evaluate("document.querySelector('.facets label').remove()")
    page.evaluate("document.querySelector('.facets input').removeAttribute('placeholder')")
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    page.evaluate(AXE_SCRIPT)
    assert {fault.split()[0] for fault in page.evaluate(FAULTS)} == {"color-contrast", "label"}


def test_a_phone_shows_the_whole_width(browser: Browser, website: Site) -> None:
    context = opened(browser, website, viewport={"width": 360, "height": 740})
    page = context.new_page()
    widths = {}
    for path in PAGES:
        page.goto(path)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert {path: width for path, width in widths.items() if width > 360} == {}


@pytest.mark.parametrize("path", [*PAGES, FOUND, EVERYWHERE])
def test_nothing_in_a_log_runs_and_nothing_leaves(browser: Browser, website: Site, path: str) -> None:
    context = opened(browser, website)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.goto(path)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    rests = page.locator("a.rest")
    for _ in range(min(3, rests.count())):
        left = rests.count()  # a part that comes may take several links' place
        if left:
            rests.first.click()
            expect(rests).not_to_have_count(left)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hacked") is None
    assert [url for url in asked if not url.startswith(website.url)] == []
    assert page.locator("body :is(script:not([src]), style), iframe, img, object, base").count() == 0
    context.close()


def test_datasettes_pages_run_nothing_of_a_log(browser: Browser, website: Site) -> None:
    context = opened(browser, website)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    for path in (
        "/siphon/messages?_search=hostile",
        "/siphon/tool_calls?_search=hostile",
        "/siphon/session_list",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hacked") is None
    assert [url for url in asked if not url.startswith(website.url)] == []
    context.close()


def test_every_message_of_a_long_session_is_reachable(page: Page) -> None:
    page.goto(f"/-/session/laptop/claude_code/{LONG}")
    seen = page.locator(".said").count()
    while page.locator(".pager [rel=next]").count():
        follow(page.locator(".pager [rel=next]").first)
        seen += page.locator(".said").count()
    assert seen == 500
    page.locator(".outline a", has_text="number 123 ").click()
    expect(page.locator(":target")).to_contain_text("question number 123 about")
    expect(page.locator(":target")).to_be_in_viewport()


def test_the_density_is_chosen_and_stays_at_the_place(page: Page) -> None:
    page.goto(SESSION)
    assert page.locator("details.call").count() == 5
    follow(page.get_by_role("link", name="Conversation"))
    assert page.locator("details.call").count() == 0
    follow(page.get_by_role("link", name="Prompts", exact=True))
    assert page.locator(".said").count() == page.locator(".said.prompt").count() == 2


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.locator("#theme").click()
    after = page.evaluate(ground)
    assert before != after
    page.goto("/-/sessions")
    assert page.evaluate(ground) == after
    page.goto("/siphon")
    assert page.evaluate(ground) == after
    page.locator("#theme").click()
    page.goto("/")
    assert page.evaluate(ground) == before


def test_a_session_that_is_written_follows_itself(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = fleet(tmp_path_factory.mktemp("follow"))
    home = made.config.hosts[0].home or Path()
    lines = Lines(LIVE)
    lines.prompt("what is there")
    lines.call("Bash", {"command": "ls --slow"}, "there it is")
    log = home / ".claude/projects/-home-ada-app" / f"{LIVE}.jsonl"
    log.write_text(
        "".join(f"{line}\n" for line in lines.lines[:-1])
    )  # the call's result is not there yet
    made.go()
    with served(made.config) as website:
        context = opened(browser, website)
        page = context.new_page()
        page.add_init_script("Date.now = () => 1772359300000")  # a minute after the session's last line
        asked: list[tuple[str, int]] = []
        page.on("response", lambda one: asked.append((urlsplit(one.url).path[:10], one.status)))
        page.goto(f"/-/session/laptop/claude_code/{LIVE}")
        expect(page.locator("details.call.pending")).to_have_count(1)
        page.evaluate("window.stayed = true")
        page.wait_for_event("response", lambda one: "/-/follow/" in one.url and one.status == 304)

        other = Lines(OTHER, start=START + timedelta(days=3))
        other.prompt("elsewhere")
        other.write(home)
        made.go()  # another session: looked at, and nothing is fetched
        page.wait_for_event("response", lambda one: "/-/follow/" in one.url and one.status == 200)
        page.wait_for_event("response", lambda one: "/-/follow/" in one.url and one.status == 304)
        assert [one for one in asked if one[0] == "/-/session"] == [("/-/session", 200)]

        before = len(lines.lines)
        lines.prompt("one more thing")
        lines.call("Bash", {"command": "echo live"}, "live")
        with log.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines.lines[before - 1 :]))
        made.go()
        expect(page.locator(".said", has_text="one more thing")).to_have_count(1)
        expect(page.locator("details.call", has_text="echo live")).to_have_count(1)
        expect(page.locator("details.call.pending")).to_have_count(0)
        assert page.locator("details.call", has_text="ls --slow").count() == 1
        assert page.locator(".said").count() == 2
        assert page.evaluate("window.stayed") is True
        context.close()


def test_following_reads_nothing_while_nothing_is_loaded(website: Site) -> None:
    path = f"/-/follow/laptop/claude_code/{RICH}"
    first = website.get(path)
    assert first.status == 200
    assert website.get(path, if_none_match=first.headers["etag"]).status == 304
    assert website.get("/-/follow/laptop/claude_code/none").status == 404


def test_a_subagent_is_shown_where_it_was_started(page: Page) -> None:
    page.goto("/-/session/laptop/claude_code/0000000a-0000-4000-8000-00000000000a")
    page.get_by_role("button", name="Show here").click()
    expect(page.locator(".child .inside")).to_contain_text("Two guides: install and upgrade.")
    assert page.evaluate("outOfOrder()") == []
    page.locator(".child > a").click()
    expect(page.locator(".relation")).to_contain_text("Subagent of")
    page.locator(".relation a").click()
    expect(page.locator(":target")).to_contain_text("Read the docs")


def test_a_fork_stands_where_it_left_and_leads_back(page: Page) -> None:
    page.goto("/-/session/laptop/claude_code/0000000e-0000-4000-8000-00000000000e")
    page.locator(".date", has_text="Fork from here").get_by_role("link").click()
    expect(page.locator(".relation")).to_contain_text("Forked from")
    follow(page.locator(".relation a"))
    assert at(page) == "/-/session/laptop/claude_code/0000000e-0000-4000-8000-00000000000e"


def test_coverage_leads_from_a_tool_to_its_types(page: Page) -> None:
    page.goto("/-/fleet")
    page.goto("/-/coverage")
    page.get_by_role("link", name="Claude Code").click()
    expect(page.locator("h1")).to_have_text("Coverage of Claude Code")
    expect(page.locator(".path", has_text="custom-title")).to_be_visible()
    follow(page.get_by_role("link", name="All tools"))
    assert at(page) == "/-/coverage"


def test_an_export_is_saved_and_opens_by_itself(page: Page, browser: Browser, tmp_path: Path) -> None:
    page.goto(f"/-/session/laptop/claude_code/{HOSTILE}")
    page.get_by_label("HTML").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    context = browser.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    alone = context.new_page()
    alone.goto(saved.as_uri())
    assert alone.evaluate("window.hacked") is None
    assert asked == [saved.as_uri()]
    assert re.search("hostile", alone.inner_text("body"))
    context.close()

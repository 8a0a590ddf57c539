"""A session of 10,000 messages in the system's Chromium: all of it is reached, and links land right."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from chromium import chromium, follow
from claude_lines import Lines
from road import road
from website import served

SESSION = "00000010-aaaa-4000-8000-000000000010"
PROMPTS = 5000  # each has a reply
PATH = f"/-/session/laptop/claude_code/{SESSION}"
# Goes through all windows by their links, as a reader would; without drawing them.
WALK = """async () => {
    const seen = [];
    let page = document;
    for (let windows = 1; ; windows += 1) {
        for (const one of page.querySelectorAll(".transcript [data-seq]")) seen.push([one.dataset.seq, one.textContent]);
        const next = page.querySelector(".pager [rel=next]");
        if (!next) return { seen, windows };
        page = new DOMParser().parseFromString(await (await fetch(next.getAttribute("href"))).text(), "text/html");
    }
}"""  # noqa: E501
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("long")
    lines = Lines(SESSION)
    for number in range(PROMPTS):
        lines.prompt(f"question {number} of the long one")
        lines.reply(f"answer {number} of the long one")
    lines.write(folder / "laptop")
    made = road(folder, {"laptop": folder / "laptop"})
    made.go()
    with served(made.config) as website, chromium() as browser:
        yield browser.new_page(base_url=website.url)


def test_every_message_is_in_one_window(
    page: Page, record_property: Callable[[str, object], None]
) -> None:
    page.goto(PATH)
    record_property("first paint, ms", page.evaluate(PAINT))
    found = page.evaluate(WALK)
    assert found["windows"] == 50
    texts = [text for _, text in found["seen"]]
    assert len(texts) == len({seq for seq, _ in found["seen"]}) == 2 * PROMPTS
    missing = [
        (what, number)
        for number in range(PROMPTS)
        for place, what in enumerate(("question", "answer"))
        if f"{what} {number} of the long one" not in texts[2 * number + place]
    ]
    assert missing == []


@pytest.mark.parametrize("number", [0, 100, PROMPTS - 1])
def test_a_link_to_a_message_lands_on_it(page: Page, number: int) -> None:
    page.goto(f"{PATH}?find=%22question+{number}+of%22")
    follow(page.locator(".hits li a").first)
    said = page.locator(":target")
    expect(said).to_contain_text(f"question {number} of the long one")
    expect(said).to_be_in_viewport()
    link = str(said.locator(".perma").first.get_attribute("href"))
    page.goto("/")
    page.goto(link)
    expect(page.locator(":target")).to_contain_text(f"question {number} of the long one")
    expect(page.locator(":target")).to_be_in_viewport()


def test_the_outline_lists_this_window_and_leads_to_the_others(page: Page) -> None:
    page.goto(PATH)
    assert page.locator(".outline .prompts a.prompt").count() == 100
    assert page.locator(".outline .prompts a.part").count() == 49
    page.locator(".outline .prompts a.part").last.click()
    expect(page.locator(":target")).to_contain_text(f"question {PROMPTS - 100} of the long one")
    page.locator(".outline .prompts a").last.click()
    expect(page.locator(":target")).to_contain_text(f"question {PROMPTS - 1} of the long one")
    expect(page.locator(":target")).to_be_in_viewport()

"""The system's Chromium."""

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, expect, sync_playwright

PATIENCE_MS = 180_000  # a limit that only a fault reaches, however busy the machine
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed at the end; new for each module of tests: playwright allows one at a time."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
    gc.collect()  # greenlets that ended; Python 3.11 cannot end them in the middle of a compilation


def follow(link: Locator) -> None:
    """Click what leads to another page, and wait until that is there."""
    with link.page.expect_navigation(timeout=PATIENCE_MS):
        link.click()

"""Fixtures for what tests/website.py describes: `pytest_plugins = ["website_fixtures"]`."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from road import Road
from website import Site, fleet, served


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The fleet, loaded; a module's own, since tests add to it."""
    made = fleet(tmp_path_factory.mktemp("road"))
    made.go()
    return made


@pytest.fixture(scope="module")
def website(road: Road) -> Iterator[Site]:
    """The fleet, served."""
    with served(road.config) as website:
        yield website


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()

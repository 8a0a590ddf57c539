"""Fixtures for what tests/website.py describes: `pytest_plugins = ["website_fixtures"]`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from chromium import chromium
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
    with chromium() as browser:
        yield browser

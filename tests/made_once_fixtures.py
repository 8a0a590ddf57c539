"""Fixtures for what tests/made_once.py describes: `pytest_plugins = ["made_once_fixtures"]`."""

import os
from pathlib import Path

import pytest

import made_once
from road import Road


@pytest.fixture(scope="session")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all workers of this run."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def real_road(shared: Path, top: Path) -> Road:
    """The three shared homes, collected and loaded; not to be written to."""
    return made_once.real(top, made_once.homes_in(shared / "homes"))


@pytest.fixture(scope="session")
def demo_road(top: Path) -> Road:
    """The made-up fleet, collected and loaded; not to be written to. Beside it: homes, siphon.yml."""
    return made_once.demo(top)

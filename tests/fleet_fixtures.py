"""Fixtures for what tests/fleet.py describes: `pytest_plugins = ["fleet_fixtures"]`."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import userlands
from fleet import WAYS, Fleet, Site, only, site_of
from sshd import Sshd, mortal, running_sshd


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        gnu = stack.enter_context(running_sshd(folder / "gnu"))

        def started(name: str, *options: str) -> Sshd:
            return stack.enter_context(running_sshd(folder / name, *options, keys=gnu.folder))

        yield Fleet(
            gnu.folder,
            {
                "gnu": gnu,
                "busybox": started("busybox", only(userlands.busybox(folder / "busybox-bin"))),
                "bsd": started("bsd", only(userlands.bsd(folder / "bsd-bin"))),
                "bare": started("bare", only(userlands.bare(folder / "bare-bin"))),
                "sftp": started("sftp", "ForceCommand internal-sftp"),
            },
            {
                "command": (*mortal(), "sh"),
                "ls": (*mortal(), "env", "-i", f"PATH={userlands.least(folder / 'ls-bin')}", "sh"),
            },
        )


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(way: str, fleet: Fleet, tmp_path: Path) -> Site:
    return site_of(way, fleet, tmp_path)

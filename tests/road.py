"""The whole road in a test: local homes → archive → database, with nothing faked."""

import shutil
from pathlib import Path
from typing import NamedTuple

from dump import dump
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
from siphon.load import load
from siphon.loaded import Loaded


class Road(NamedTuple):
    """A fleet of local homes with their archive and database, all below one folder."""

    config: Config

    @property
    def archive(self) -> Archive:
        return Archive(self.config.archive)

    @property
    def database(self) -> Path:
        return self.config.database

    def home(self, host: str) -> Path:
        (home,) = (one.home for one in self.config.hosts if one.name == host)
        assert home is not None
        return home

    def collect(self) -> None:
        reports = collect(self.config, self.archive, ())
        failed = [(report.host, report.error) for report in reports if report.error]
        assert not failed, failed

    def load(self, *, rebuild: bool = False) -> Loaded:
        return load(self.archive, self.config.database, rebuild=rebuild, skip=self.config.skip)

    def step(self) -> None:
        """Collect and load."""
        self.collect()
        self.load()

    def go(self) -> list[str]:
        """Collect and load; the database's dump."""
        self.step()
        return dump(self.database)


def road(folder: Path, homes: dict[str, Path]) -> Road:
    """A road whose hosts are these folders, read in place."""
    folder.mkdir(parents=True, exist_ok=True)
    hosts = tuple(HostConfig(name=name, home=home) for name, home in homes.items())
    return Road(
        Config(
            archive=folder / "archive",
            database=folder / "siphon.db",
            interval=300,
            skip=(),
            hosts=hosts,
            path=None,
            ssh=folder / "ssh",
        )
    )


def copied(folder: Path, home: Path, paths: list[str] | None = None) -> Path:
    """A writable copy of a home, or of some of its files."""
    if paths is None:
        shutil.copytree(home, folder, dirs_exist_ok=True)
    for path in paths or ():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home / path, folder / path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder

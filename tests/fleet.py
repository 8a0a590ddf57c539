"""Homes to collect from on every way to a host: this machine, three userlands, SFTP alone."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
from siphon.hostreport import HostReport
from sshd import Sshd

PROJECT = ".claude/projects/-p"
LOG = f"{PROJECT}/11111111-1111-4111-8111-111111111111.jsonl"
WAYS = ("local", "gnu", "busybox", "bsd", "sftp", "command", "ls")


class Fleet(NamedTuple):
    """Running sshds by way, all with the same ~/.ssh; and commands that give a shell."""

    keys: Path
    sshds: Mapping[str, Sshd]
    commands: Mapping[str, tuple[str, ...]]

    def host(self, way: str, home: Path) -> HostConfig:
        """A host whose home this is."""
        if way == "local":
            return HostConfig("host", home=home)
        if way in self.commands:
            return HostConfig("host", command=self.commands[way], remote_home=str(home))
        return self.sshds[way].host("host", home)


def only(tools: Path) -> str:
    """For a login that has these tools and no others."""
    return f"SetEnv SHLVL=1 PATH={tools}"


class Site(NamedTuple):
    """One host's home, and the archive it is collected into."""

    home: Path
    config: Config

    @property
    def archive(self) -> Archive:
        return Archive(self.config.archive)

    def write(self, path: str, data: bytes) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def append(self, path: str, data: bytes) -> None:
        with (self.home / path).open("ab") as file:
            file.write(data)

    def collect(self, **options: Any) -> HostReport:
        (report,) = collect(self.config, self.archive, **options)
        assert report.error is None, report
        return report

    def read(self, path: str) -> bytes | None:
        file = self.archive.home("host").open(path)
        return None if file is None else file.read()

    def held(self) -> dict[str, tuple[int, int]]:
        """path → (generation, size)"""
        return {held.path: (held.generation, held.size) for held in self.archive.held("host")}

    def sound(self) -> bool:
        findings = list(self.archive.verify(read_data=True))
        assert findings == []
        return not list((self.archive.root / ".parts").iterdir())


def site_of(way: str, fleet: Fleet, folder: Path, **changes: object) -> Site:
    home = folder / "home"
    home.mkdir()
    return Site(home, config_of(folder, fleet.keys, fleet.host(way, home)._replace(**changes)))


def config_of(folder: Path, keys: Path, *hosts: HostConfig) -> Config:
    return Config(folder / "archive", folder / "siphon.db", 300, (), hosts, None, keys)


def noise(size: int, seed: int = 0) -> bytes:
    """Lines that do not compress."""
    data = random.Random(seed).randbytes(size * 3 // 4 + 60).hex().encode()
    return b"".join(data[at : at + 99] + b"\n" for at in range(0, size, 100))[:size]


def counts(report: HostReport) -> dict[str, int]:
    kinds = ("new", "grown", "rewritten", "gone")
    return {kind: getattr(report, kind) for kind in kinds if getattr(report, kind)}


def made(folder: Path, *below: str) -> Path:
    """The folder, new."""
    folder.joinpath(*below).mkdir(parents=True)
    return folder.joinpath(*below)

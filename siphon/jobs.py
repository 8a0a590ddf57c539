"""Which hosts are to be collected, and what of them: as siphon.yml says, and who asks."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from siphon.archive import Archive
from siphon.config import Config, HostConfig
from siphon.errors import SiphonError
from siphon.schedule import next_due
from siphon.source import Source
from siphon.sources import sources
from siphon.transports import TRANSPORTS
from siphon.wanted import Wanted, wanted


def now() -> int:
    """This moment, in ms."""
    return time.time_ns() // 1_000_000


class Job(NamedTuple):
    """One host to collect."""

    config: Config
    archive: Archive
    host: HostConfig
    dry_run: bool
    now: Callable[[], int]
    parts: tuple[str, ...] = ()  # only these of the hosts it leads to; none: all

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that its way needs."""
        return (TRANSPORTS[self.host.transport].module,)


def jobs(
    config: Config, archive: Archive, names: Sequence[str], dry_run: bool, now: Callable[[], int]
) -> list[Job]:
    """For the named hosts, or all whose turn it is, in the order of the config.

    Raises SiphonError for an unknown name.
    """
    return [
        Job(config, archive, host, dry_run, now, _parts(host.name, names))
        for host in _chosen(config, archive, names, now())
    ]


def wanted_of(config: Config, host: HostConfig) -> Wanted:
    """What is collected of a host."""
    return wanted(sources_of(config, host))._replace(only=host.paths, never=host.skip_paths)


def sources_of(config: Config, host: HostConfig) -> list[Source]:
    """The tools whose logs are collected of a host."""
    chosen = host.sources if host.sources is not None else sources().keys()
    return [source for name, source in sources().items() if name in chosen and name not in config.skip]


def _chosen(config: Config, archive: Archive, names: Sequence[str], at: int) -> list[HostConfig]:
    """Those that are named, else those whose turn it is."""
    known = {host.name: host for host in config.hosts}
    unknown = [name for name in names if name.partition("/")[0] not in known]
    if unknown:
        raise SiphonError(f"unknown host {unknown[0]!r}; known hosts: {', '.join(known)}")
    if names:
        wanted = {name.partition("/")[0] for name in names}
        return [host for host in config.hosts if host.name in wanted]
    return due(config, archive, at)


def _parts(host: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of a host's users or machines that are named; none, if it is itself."""
    return () if host in names else tuple(name for name in names if name.startswith(f"{host}/"))


def due(config: Config, archive: Archive, at: int) -> list[HostConfig]:
    """The hosts that are enabled and whose schedule does not make them wait."""
    enabled = [host for host in config.hosts if host.enabled]
    if not any(host.every or host.hours for host in enabled) or not archive.root.exists():
        return enabled
    last = {state.name: state.attempted_at for state in archive.host_states()}
    return [host for host in enabled if next_due(host, last.get(host.name), at) <= at]

"""Looking at a host without collecting it: is it reached, what can it do, what would be collected."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from siphon.archive import Archive
from siphon.config import Config, HostConfig
from siphon.errors import SiphonError
from siphon.hosts import Found
from siphon.jobs import wanted_of
from siphon.reach import Asked, Part
from siphon.sourceof import source_of
from siphon.transports import TRANSPORTS


class Tool(NamedTuple):
    """What of one source lies on a host."""

    source: str
    logs: int
    bytes: int
    oldest: int  # ms


class Checked(NamedTuple):
    """What a host of the archive turned out to be."""

    host: str
    reachable: bool
    tools: str | None = None  # what it is read with
    found: tuple[Tool, ...] = ()
    problems: tuple[str, ...] = ()
    links: int = 0  # not followed
    error: str | None = None


def check(config: Config, host: HostConfig) -> list[Checked]:
    """Reach a configured host and list it; one for each host of the archive that it leads to."""
    asked = Asked(host, config, Archive(config.archive))
    try:
        reached = TRANSPORTS[host.transport].reach(asked)
    except (SiphonError, OSError) as error:
        return [Checked(host.name, False, error=_reason(host, error))]
    with closing(reached):
        whole = []
        if reached.problems or not reached.parts:
            whole = [Checked(host.name, True, problems=tuple(reached.problems))]
        return [*whole, *(_part(config, host, part) for part in reached.parts)]


def _part(config: Config, host: HostConfig, part: Part) -> Checked:
    try:
        with closing(part.open()) as opened:
            listing = opened.find(wanted_of(config, host))
            tools = opened.means
    except (SiphonError, OSError) as error:
        return Checked(part.name, True, error=_reason(host, error))
    return Checked(
        part.name,
        True,
        tools=tools,
        found=tuple(_tools(listing.found)),
        problems=tuple(listing.problems),
        links=len(listing.links),
    )


def _tools(found: Mapping[str, Found]) -> Sequence[Tool]:
    logs: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    for path, file in found.items():
        name = source_of(path)
        if name is not None:
            logs[name] += 1
            sizes[name] += file.size
            oldest[name] = min(oldest.get(name, file.mtime), file.mtime)
    return [Tool(name, logs[name], sizes[name], oldest[name] // 1_000_000) for name in sorted(logs)]


def _reason(host: HostConfig, error: Exception) -> str:
    return str(error).removeprefix(f"{host.name}: ")

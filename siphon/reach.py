"""What a way to a host is asked, and what it leads to: one login may lead to many homes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from siphon.archive import Archive
from siphon.config import Config, HostConfig
from siphon.hosts import Host


class Asked(NamedTuple):
    """Where to go."""

    host: HostConfig
    config: Config
    archive: Archive  # what it holds already


class Part(NamedTuple):
    """One host of the archive: `open` gives it, or raises what is then this one's error alone."""

    name: str  # of the configured host; where that has many homes or machines, <it>/<part>
    open: Callable[[], Host]
    heard_at: int | None = None  # ms: when it last pushed; None: it does not, or does not tell


class Reached(NamedTuple):
    """What a configured host leads to, once it is reached; `close` it in the end."""

    parts: Sequence[Part]
    close: Callable[[], None]
    problems: Sequence[str] = ()  # parts that are there and cannot be had

"""What the invented logs of both tools share: where they stand, and the means to write them."""

import os
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks import vocabulary
from benchmarks.chance import spread
from benchmarks.text import Text, plant
from benchmarks.truth import Needle, Tally

END = 1_794_700_800_000
"""2026-11-15: all logs lie in the year before it."""
DAY = 86_400_000
HOSTS = ("laptop", "workstation", "server")


class Place(NamedTuple):
    """A project's checkout on a host."""

    host: str
    home: str
    cwd: str
    repo: str
    branch: str


class World(NamedTuple):
    """What a session is made with. `small`: many short sessions rather than a volume."""

    folder: Path
    rng: Random
    text: Text
    tally: Tally
    places: list[Place]
    small: bool

    def size(self) -> int:
        """Bytes of the next log; most are small, a few very large."""
        if self.small:
            return spread(self.rng, 5000, 0.6, 1000, 40_000)
        return spread(self.rng, 170_000, 1.35, 8000, 8_000_000)

    def start(self) -> int:
        return END - self.rng.randrange(12 * DAY, 365 * DAY)

    def elsewhere(self, host: str) -> str | None:
        """Another host, None if there is no other."""
        others = sorted({place.host for place in self.places} - {host})
        return self.rng.choice(others) if others else None


class Needles:
    """Plants a word of each kind in one session, the first time a text of that kind is made."""

    def __init__(self, world: World, kinds: str) -> None:
        self._world = world
        self._left = set(kinds.split())

    def plant(self, kind: str, text: str, where: Needle, share: float = 0.6) -> str:
        """`text`, with a needle in it if the kind still wants one; `where` tells all but the word."""
        if kind not in self._left:
            return text
        self._left.remove(kind)
        word = vocabulary.needle(self._world.rng)
        self._world.tally.needle(
            Needle(word, kind, where.source, where.host, where.session, list(where.also), [])
        )
        return plant(text, word, share)


def write(path: Path, data: bytes, ts: int) -> None:
    """The file as its tool would have left it: last changed when its last line was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (ts / 1000, ts / 1000))

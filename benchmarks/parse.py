"""bench parse: MB of logs per CPU second that each source's parser reads, a bare decode beside it.

Logs are real ones (the shared homes), generated ones (Claude Code, Codex), and, where neither are at
hand, grown from the tests' cases. They are held in memory and read as load's workers read them, first
once for imports, compiled expressions and types, and then until enough time has passed.
"""

import gc
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from benchmarks.grown import CASES, grow
from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Log
from siphon.source import Source
from siphon.sources import sources

SECONDS = 2.0  # of CPU, at least, for each source and kind of logs
MEGABYTES = 30.0  # of each home; more tells no more
SMALLEST = 0.1  # MB of logs that say something
GROWN = 5.0  # MB


class Home:
    """A folder whose files are read from the disk once."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.files: dict[str, bytes | None] = {}

    def open(self, path: str) -> IO[bytes] | None:
        if path not in self.files:
            file = self.folder.open(path)
            self.files[path] = None if file is None else file.read()
        data = self.files[path]
        return None if data is None else BytesIO(data)

    def glob(self, pattern: str) -> list[str]:
        return self.folder.glob(pattern)

    def sqlite(self, path: str) -> AbstractContextManager[sqlite3.Connection]:
        return self.folder.sqlite(path)


class Place(NamedTuple):
    """A log and the home that holds it."""

    home: Home
    path: str

    def log(self) -> Log:
        return Log(self.home, "host", self.path)


class Speed(NamedTuple):
    mb: float  # per CPU second, of decompressed bytes
    bare: float  # the same of a bare decode of each line, or of the document; 0: no JSON
    size: float  # MB
    logs: int


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    shared = Path(__file__).resolve().parent.parent.parent / "shared" / "homes"
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # as in load's workers
    for source in sources().values():
        grown = [grow(source.name, GROWN, folder / source.name)] if source.name in CASES else []
        for kind, homes in (("real", _homes(shared)), ("made", _homes(corpus)), ("grown", grown)):
            found = speed(source, homes)
            if found.size > SMALLEST:
                bare = f"; bare decode {found.bare:.0f}" if found.bare else ""
                told = f"{found.mb:.0f} MB per CPU-s{bare} ({found.size:.1f} MB in {found.logs} logs)"
                yield f"{source.title}, {kind} logs", told


def _homes(root: Path) -> list[Path]:
    return [path for path in sorted(root.iterdir()) if path.is_dir()] if root.is_dir() else []


def speed(source: Source, homes: list[Path]) -> Speed:
    """Of the source's logs in these homes."""
    logs = list(_logs(source, homes))
    size = sum(len(place.log().data()) for place in logs) / 1e6
    if size < SMALLEST:
        return Speed(0, 0, size, len(logs))
    ways: list[Callable[[Place], object]] = [lambda place: list(source.parse(place.log()))]
    if all(place.path.endswith((".json", ".jsonl", ".jsonl.zst")) for place in logs):
        ways.append(_bare)
    mb, bare = [*_rates(ways, logs, size), 0.0][:2]
    return Speed(mb, bare, size, len(logs))


def _logs(source: Source, homes: list[Path]) -> Iterator[Place]:
    """The source's logs; of a large home the first ones."""
    matches = [compiled(glob).fullmatch for glob in source.globs]
    for root in homes:
        home, size = Home(root), 0.0
        for path in home.folder.files():
            if any(match(path) for match in matches) and size < MEGABYTES:
                yield Place(home, path)
                size += (root / path).stat().st_size / 1e6


def _rates(ways: Sequence[Callable[[Place], object]], logs: list[Place], size: float) -> list[float]:
    """MB per CPU second of each way of reading, in turns.

    Of the fastest of its passes: what else the machine does slows down some.
    """
    best, end = [float("inf")] * len(ways), 0.0
    while not end or time.process_time() < end:
        for n, read in enumerate(ways):
            start = time.process_time()
            for place in logs:
                read(place)
            best[n] = min(best[n], time.process_time() - start)
        end = end or time.process_time() + SECONDS
    return [size / seconds for seconds in best]


_DECODE = msgspec.json.Decoder().decode


def _bare(place: Place) -> None:
    data = place.log().data()
    for row in [data] if place.path.endswith(".json") else data.split(b"\n"):
        try:
            _DECODE(row)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue

"""Which logs must be read: those whose parse depended on something that is no longer as it was."""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from siphon.archive import Held
from siphon.globs import compiled, fixed, fixed_folder
from siphon.log import Home, Read
from siphon.source import Source

_READS = msgspec.json.Decoder(list[tuple[str, str, str]])


class Job(NamedTuple):
    """A log to read."""

    held: Held
    source: str
    version: int  # of the source


class Stock:
    """What the archive holds, by host: answers fingerprints, of files and globs without reading one."""

    def __init__(self, held: Iterable[Held], home: Callable[[str], Home]) -> None:
        self.home = home
        self.files: dict[str, dict[str, Held]] = {}
        for file in held:
            self.files.setdefault(file.host, {})[file.path] = file
        self._names: dict[str, list[str]] = {}
        self._matches: dict[tuple[str, str], str] = {}
        self._content: dict[tuple[str, str], list[bytes]] = {}

    def fingerprint(self, host: str, read: Read) -> str:
        """A text that changes when what was read changes; "" for a file that is not held."""
        if read.kind == "glob":
            return self._glob(host, read.path)
        if read.kind == "lines":
            return self._lines(host, read.path)
        return self._file(host, read.path)

    def same(self, host: str, read: Read, before: str) -> bool:
        """Whether the fingerprint is still as before. Of lines: the file is read only if it changed."""
        if read.kind == "lines" and before.startswith(
            self._file(host, read.path.partition("\n")[0]) + " "
        ):
            return True
        now = self.fingerprint(host, read)
        return (
            now.rpartition(" ")[2] == before.rpartition(" ")[2]
            if read.kind == "lines"
            else now == before
        )

    def _file(self, host: str, path: str) -> str:
        file = self.files[host].get(path)
        return "" if file is None else f"{file.generation}:{file.size}:{file.mtime}"

    def _lines(self, host: str, place: str) -> str:
        """The file's own fingerprint, and the hash of the lines that hold the word."""
        path, _, word = place.partition("\n")
        key = (host, path)
        if key not in self._content:
            file = self.home(host).open(path)
            self._content[key] = [] if file is None else list(file)
        needle = word.encode()
        found = b"".join(line for line in self._content[key] if needle in line and line.endswith(b"\n"))
        return f"{self._file(host, path)} {blake2b(found, digest_size=8).hexdigest()}"

    def _glob(self, host: str, pattern: str) -> str:
        key = (host, pattern)
        if key not in self._matches:
            match = compiled(pattern).fullmatch
            found = "\0".join(name for name in self._below(host, pattern) if match(name))
            self._matches[key] = blake2b(found.encode(errors="replace"), digest_size=8).hexdigest()
        return self._matches[key]

    def _below(self, host: str, pattern: str) -> Iterator[str]:
        names = self._names.get(host)
        if names is None:
            names = self._names[host] = sorted(self.files[host])
        folder = fixed_folder(pattern)
        prefix = f"{folder}/" if folder else ""
        for place in range(bisect_left(names, prefix), len(names)):
            if not names[place].startswith(prefix):
                return
            yield names[place]


def reads_json(stock: Stock, host: str, reads: Sequence[Read]) -> str:
    """What a parse depended on, as `logs.reads` keeps it."""
    kept = [(read.kind, read.path, stock.fingerprint(host, read)) for read in reads]
    return msgspec.json.encode(kept).decode()


def jobs(stock: Stock, sources: Mapping[str, Source], skip: Iterable[str]) -> list[Job]:
    """Every log that the archive holds, with the source that reads it, oldest first."""
    readers = Readers([one for one in sources.values() if one.name not in set(skip)])
    found = []
    for files in stock.files.values():
        for file in files.values():
            source = readers.of(file.path)
            if source is not None:
                found.append(Job(file, source.name, source.version))
    return sorted(found, key=lambda job: (job.held.mtime or 0, job.held.host, job.held.path))


class Readers:
    """Which source reads a path. A glob is compiled when the first path lies where it could match."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.globs = [(fixed(glob), glob, source) for source in sources for glob in source.globs]
        self.below: dict[str, list[tuple[str, str, Source]]] = {}  # by the path's first folder

    def of(self, path: str) -> Source | None:
        top = path[: path.find("/") + 1]
        if top not in self.below:
            self.below[top] = [
                one for one in self.globs if one[0].startswith(top) or top.startswith(one[0])
            ]
        return next(
            (
                source
                for start, glob, source in self.below[top]
                if path.startswith(start) and compiled(glob).fullmatch(path)
            ),
            None,
        )


def changed(
    connection: sqlite3.Connection, stock: Stock, wanted: Iterable[Job], tries: int | None = None
) -> list[Job]:
    """The jobs whose log is new, failed, or whose last parse depended on what has changed since.

    One that failed `tries` times (None: any number) is left alone until it is another generation, or
    its parser another version.
    """
    stored = {
        (host, path): rest
        for host, path, *rest in connection.execute(
            "select host, path, source, source_version, generation, size, mtime, reads, tries from logs"
        )
    }
    return [job for job in wanted if _due(stored.get((job.held.host, job.held.path)), stock, job, tries)]


def _due(stored: Sequence[object] | None, stock: Stock, job: Job, tries: int | None) -> bool:
    if stored is None or not stored[6]:
        return not _fresh(stored, stock, job)
    again = tuple(stored[:3]) != (job.source, job.version, job.held.generation)
    return again or tries is None or int(str(stored[6])) < tries


def _fresh(stored: Sequence[object] | None, stock: Stock, job: Job) -> bool:
    held = job.held
    if stored is None or tuple(stored[:5]) != (
        job.source, job.version, held.generation, held.size, held.mtime,
    ):  # fmt: skip
        return False
    host = held.host
    return all(
        stock.same(host, Read(kind, path), print_)
        for kind, path, print_ in _READS.decode(str(stored[5]))
        if path != held.path
    )


def gone(connection: sqlite3.Connection, wanted: Iterable[Job]) -> list[int]:
    """Ids of stored logs that the archive no longer holds or that no source reads."""
    kept = {(job.held.host, job.held.path, job.source) for job in wanted}
    return [
        key
        for key, *place in connection.execute("select id, host, path, source from logs")
        if tuple(place) not in kept
    ]

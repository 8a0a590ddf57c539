"""Whose log a loose file is: as its path tells, else its content, else a log that lies beside it."""

import io
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import IO, NamedTuple

import zstandard

from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Home, Log
from siphon.pathtext import inside
from siphon.source import Source
from siphon.sources import sources

_SMALL = 1 << 20  # bytes


class Place(NamedTuple):
    """Where a file belongs, below a home."""

    source: str
    path: str


class _Anchor(NamedTuple):
    """What a log that was found by its content tells of the files round it: the same folder, filed."""

    source: str
    loose: str  # a folder of the loose files, "" or ending in "/"
    filed: str  # the same folder below a home


def places(home: Folder, paths: Iterable[str], above: Sequence[str] = ()) -> dict[str, list[Place]]:
    """For each path of the folder where it may belong: one place, or none, or those that claim it.

    `above` are the names of the folders in which the folder itself lies, outermost first.
    """
    found = {path: list(_told(path, above)) for path in paths}
    by_content = {path: list(_recognised(home, path)) for path, told in found.items() if not told}
    anchors = set(_anchors(by_content))
    for path, told in by_content.items():
        near = _near(path, told, anchors)
        found[path] = near if len(near) == 1 else told
    return found


def _told(path: str, above: Sequence[str]) -> list[Place]:
    """By the longest end of the path that a source matches; beyond the folder, by the shortest."""
    parts = path.split("/")
    inside = ("/".join(parts[start:]) for start in range(len(parts)))
    outside = ("/".join((*above[-count:], *parts)) for count in range(1, len(above) + 1))
    for candidate in (*inside, *outside):
        if _anything().fullmatch(candidate):
            logs = [Place(one.name, candidate) for one in _claiming(candidate, beside=False)]
            return logs or [Place(one.name, candidate) for one in _claiming(candidate, beside=True)][:1]
    return []


@cache
def _anything() -> re.Pattern[str]:
    """All patterns of all sources: most paths match none."""
    patterns = (glob for one in sources().values() for glob in (*one.globs, *one.beside))
    return re.compile("|".join(f"(?:{compiled(glob).pattern})" for glob in patterns), re.DOTALL)


def _claiming(path: str, *, beside: bool) -> Iterator[Source]:
    for source in sources().values():
        if any(compiled(glob).fullmatch(path) for glob in (source.beside if beside else source.globs)):
            yield source


class _Opened(NamedTuple):
    """A folder of which one small file has been read: each source looks at it."""

    home: Folder
    path: str
    data: bytes

    def open(self, path: str) -> IO[bytes] | None:
        return io.BytesIO(self.data) if path == self.path else self.home.open(path)

    def glob(self, pattern: str) -> list[str]:
        return self.home.glob(pattern)

    def sqlite(self, path: str) -> AbstractContextManager[sqlite3.Connection]:
        return self.home.sqlite(path)


def _opened(home: Folder, path: str) -> Home:
    try:
        file = home.open(path)
        if file is None:
            return home
        with file:
            data = file.read(_SMALL + 1)
    except OSError:  # may not be read: what knows it by its path tells why
        return home
    return home if len(data) > _SMALL else _Opened(home, path, data)


def _recognised(home: Folder, path: str) -> Iterator[Place]:
    opened = _opened(home, path)
    for source in sources().values():
        place = _asked(source, Log(opened, "loose", path))
        if place is not None:
            yield Place(source.name, place)


def _asked(source: Source, log: Log) -> str | None:
    """Where the source would have the log; an id in it that would lead elsewhere makes it nobody's."""
    try:
        place = None if source.recognise is None else source.recognise(log)
    except (OSError, zstandard.ZstdError):  # gone, a link that leads out, or damaged: nothing tells
        return None
    if place is None or not inside(place.encode(errors="surrogateescape")):
        return None
    return place if _matches(source, place) else None


def _anchors(found: Mapping[str, list[Place]]) -> Iterator[_Anchor]:
    for path, told in found.items():
        if len(told) == 1:
            loose, filed = path.split("/"), told[0].path.split("/")
            while loose and filed and loose[-1] == filed[-1]:
                loose.pop()
                filed.pop()
            if len(loose) < path.count("/") + 1:  # its name, at least, is its own
                yield _Anchor(told[0].source, _slashed(loose), _slashed(filed))


def _slashed(parts: Sequence[str]) -> str:
    return "".join(f"{part}/" for part in parts)


def _near(path: str, told: Sequence[Place], anchors: Iterable[_Anchor]) -> list[Place]:
    """Where the file belongs if its folder is what the innermost logs round it say it is.

    A log whose own content tells a place stays there, unless a log of its source lies in a folder above.
    """
    found: dict[int, set[Place]] = {}
    for anchor in anchors:
        rest = path.removeprefix(anchor.loose)
        if len(rest) + len(anchor.loose) != len(path):
            continue
        if told and ("/" not in rest or [one.source for one in told] != [anchor.source]):
            continue
        if _matches(sources()[anchor.source], anchor.filed + rest):
            found.setdefault(len(rest), set()).add(Place(anchor.source, anchor.filed + rest))
    return sorted(found[min(found)]) if found else []


def _matches(source: Source, path: str) -> bool:
    return any(compiled(glob).fullmatch(path) for glob in (*source.globs, *source.beside))

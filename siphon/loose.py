"""Loose files: exported or copied logs, filed in the archive as if a host of that name had them."""

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.archive import Archive
from siphon.deposit import Arrival
from siphon.errors import SiphonError
from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Log
from siphon.pathtext import text
from siphon.source import Source
from siphon.sources import sources
from siphon.unpack import packed, unpack

_BATCH = 500  # files filed at once
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Filed(NamedTuple):
    """What became of one loose file."""

    file: str  # as named by the user, or inside what was named
    source: str | None = None
    host: str | None = None
    path: str | None = None  # below the host's home in the archive
    new: bool = False  # False: the archive held these bytes already
    error: str | None = None  # why it was not filed


class _Place(NamedTuple):
    source: str
    path: str


def file_loose(archive: Archive, paths: Sequence[Path], host: str | None = None) -> list[Filed]:
    """File logs given as files, folders, .zip or .tar(.gz); `host` is else made from each path's name.

    The archive gains whole logs only; a file that no source, or more than one, claims is told.
    Raises SiphonError for a path that does not exist.
    """
    filed: list[Filed] = []
    with archive.lock("siphon load", _now()):
        for path in paths:
            if not path.exists():
                raise SiphonError(f"{path}: no such file or folder")
            filed += _file(archive, path, host or _host_name(path))
    return filed


def _now() -> int:
    return time.time_ns() // 1_000_000


def _host_name(path: Path) -> str:
    name = path.resolve().name
    while "." in name.strip(".") and path.is_file():
        name = name.rpartition(".")[0]
    return "loose-" + (_NAME.sub("-", name).strip(".-") or "files")


def _file(archive: Archive, path: Path, host: str) -> list[Filed]:
    if path.is_dir():
        return _folder(archive, path, host, str(path))
    with tempfile.TemporaryDirectory(prefix="siphon-") as folder:
        if packed(path):
            try:
                unpack(path, Path(folder))
            except SiphonError as error:
                return [Filed(str(path), error=str(error).removeprefix(f"{path}: "))]
        else:
            shutil.copyfile(path, Path(folder) / path.name)
        return _folder(archive, Path(folder), host, str(path))


def _folder(archive: Archive, folder: Path, host: str, said: str) -> list[Filed]:
    filed: list[Filed] = []
    ready: list[tuple[Path, _Place]] = []
    home = Folder(folder)
    for path in home.files():
        name = said if said.endswith(path) else f"{said}/{path}"
        places = _places(home, path)
        if len(places) == 1:
            ready.append((folder / path, places[0]))
            filed.append(Filed(name, places[0].source, host, places[0].path))
        else:
            filed.append(Filed(name, error=_doubt(places)))
    new = _deposit(archive, host, ready)
    return [one._replace(new=one.path in new) for one in filed]


def _doubt(places: Sequence[_Place]) -> str:
    if not places:
        return "no tool is known that writes such a log; `siphon sources` lists those that are"
    return f"could be a log of {' or '.join(place.source for place in places)}; put it under its path"


def _places(home: Folder, path: str) -> list[_Place]:
    """Where the file may belong: as its path tells, else as its content does."""
    parts = path.split("/")
    for start in range(len(parts)):
        told = [
            _Place(source.name, "/".join(parts[start:]))
            for source in sources().values()
            if _matches(source, "/".join(parts[start:]))
        ]
        if told:
            return told[:1] if len({place.path for place in told}) == 1 else told
    return list(_recognised(home, path))


def _matches(source: Source, path: str) -> bool:
    return any(compiled(glob).fullmatch(path) for glob in (*source.globs, *source.beside))


def _recognised(home: Folder, path: str) -> Iterator[_Place]:
    for source in sources().values():
        if source.recognise is not None:
            place = source.recognise(Log(home, "loose", path))
            if place is not None:
                yield _Place(source.name, place)


def _deposit(archive: Archive, host: str, ready: Iterable[tuple[Path, _Place]]) -> set[str]:
    """File the logs; the paths of those whose bytes the archive did not hold."""
    new: set[str] = set()
    batch: dict[str, Arrival] = {}
    for file, place in ready:
        arrival = _arrival(archive, host, file, place.path)
        if arrival is not None:
            new.add(arrival.path)
            batch[arrival.path] = arrival
        if len(batch) >= _BATCH:
            archive.add(host, list(batch.values()), _now())
            batch = {}
    archive.add(host, list(batch.values()), _now())
    return new


def _arrival(archive: Archive, host: str, file: Path, path: str) -> Arrival | None:
    """The file's bytes in a part, ready to be added; None if the archive holds them."""
    part = archive.part()
    state = hashlib.sha256()
    with file.open("rb") as source, private.create(part) as copy:
        while block := source.read(1 << 20):
            state.update(block)
            copy.write(block)
    status = file.stat()
    digest = state.hexdigest()
    path = text(path.encode(errors="surrogateescape"))
    entry = archive.ledger.entry(host, path)
    if entry is not None and entry.sha256 == digest:
        part.unlink()
        return None
    mtime = status.st_mtime_ns // 1_000_000
    return Arrival(path, part, False, status.st_size, mtime, None, digest, digest)

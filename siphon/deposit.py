"""Putting what arrived into the archive so that a kill at any moment leaves nothing lost and nothing half.

The order: bytes into a part, to disk; the old generation set aside and the ledger told; the part renamed
over the log, or appended to it beyond the size that the ledger states; then the ledger, in one transaction.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.ledger import Entry, Ledger
from siphon.pathtext import raw

PARTS = ".parts"
GENERATIONS = ".generations"
_BLOCK = 1 << 20


class Arrival(NamedTuple):
    """A log's bytes, waiting in a part: all of them, or (`tail`) those beyond what the archive holds."""

    path: str
    part: Path
    tail: bool
    size: int  # bytes of the whole log
    mtime: int | None  # ms
    stamp: str | None
    sha256: str  # of the whole log
    segment: str  # sha256 of the part


def located(root: Path, place: str) -> Path:
    """The file at a place that a ledger row names."""
    return root / os.fsdecode(raw(place))


def commit(root: Path, ledger: Ledger, host: str, arrivals: Sequence[Arrival], at: int) -> None:
    """Make the arrivals part of the archive; their parts are used up."""
    private.sync(arrival.part for arrival in arrivals)
    entries = {arrival.path: ledger.entry(host, arrival.path) for arrival in arrivals}
    whole = [arrival for arrival in arrivals if not arrival.tail]
    places = {arrival.path: _place(root, host, arrival.path) for arrival in whole}
    _adopt(root, ledger, host, [a for a in whole if entries[a.path] is None], places, at)
    entries |= {a.path: ledger.entry(host, a.path) for a in whole if entries[a.path] is None}
    aside = _set_aside(root, ledger, [entry for a in whole if (entry := entries[a.path])])
    for arrival in whole:
        arrival.part.replace(located(root, places[arrival.path]))
    _sync_names(root, places.values())
    tails = [(arrival, entry) for arrival in arrivals if arrival.tail and (entry := entries[arrival.path])]
    for arrival, entry in tails:
        _append(located(root, entry.place), entry.size, arrival.part)
    with ledger.write() as db:
        for arrival in whole:
            old = entries[arrival.path]
            if old is not None:
                _replaced(db.execute, old, aside[old.id], at)
            _written(db.execute, host, arrival, places[arrival.path], at)
        for arrival, entry in tails:
            _grown(db.execute, entry, arrival, at)
    for arrival, _ in tails:
        arrival.part.unlink()


def repair(root: Path, ledger: Ledger) -> None:
    """Bring logs back to their own path whose rewriting was interrupted; drop parts nobody will use."""
    for part in (root / PARTS).iterdir():
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    sql = "select id, host, path, place from logs where place glob ?"
    for id, host, path, place in ledger.rows(sql, f"{GENERATIONS}/*"):
        home = _place(root, host, path)
        if home.startswith(GENERATIONS):
            continue  # something else lies on its path
        twin = root / PARTS / f"repair-{id}"
        _twin(located(root, place), twin)
        twin.replace(located(root, home))
        _sync_names(root, [home])
        with ledger.write() as db:
            db.execute("update logs set place = ? where id = ?", (home, id))


def _place(root: Path, host: str, path: str) -> str:
    """Where the current generation belongs: on its own path, or, if that cannot be, under its hash."""
    return _possible(root, f"{host}/{path}") or _flat(root, host, path, "current")


def _aside(root: Path, entry: Entry) -> str:
    """Where a replaced generation belongs."""
    place = f"{GENERATIONS}/{entry.host}/{entry.generation}/{entry.path}"
    return _possible(root, place) or _flat(root, entry.host, entry.path, str(entry.generation))


def _possible(root: Path, place: str) -> str | None:
    """The place, its folder made; None if a folder, a file above it or its length stands in the way."""
    file = located(root, place)
    try:
        private.folder(file.parent)
        return None if file.is_dir() else place
    except OSError:
        return None


def _flat(root: Path, host: str, path: str, name: str) -> str:
    digest = hashlib.sha256(raw(path)).hexdigest()[:32]
    place = f"{GENERATIONS}/{host}/.flat/{digest}.{name}"
    private.folder(located(root, place).parent)
    return place


def _adopt(
    root: Path, ledger: Ledger, host: str, new: Iterable[Arrival], places: Mapping[str, str], at: int
) -> None:
    """Enter files that lie where a new log belongs but in no ledger, lest the rename destroy them."""
    for arrival in new:
        file = located(root, places[arrival.path])
        if not file.exists() or _begins_with(arrival.part, file):
            continue
        size, digest = file.stat().st_size, sha256(file)
        found = Arrival(arrival.path, file, False, size, None, None, digest, digest)
        with ledger.write() as db:
            _written(db.execute, host, found, places[arrival.path], at)


def _set_aside(root: Path, ledger: Ledger, entries: Sequence[Entry]) -> dict[int, str]:
    """Give each old generation a second name and let the ledger point there: id → its place."""
    aside = {entry.id: _aside(root, entry) for entry in entries}
    for entry in entries:
        if entry.place != aside[entry.id]:
            _twin(located(root, entry.place), located(root, aside[entry.id]))
    _sync_names(root, aside.values())
    if aside:
        with ledger.write() as db:
            rows = [(place, id) for id, place in aside.items()]
            db.executemany("update logs set place = ? where id = ?", rows)
    return aside


def _twin(old: Path, new: Path) -> None:
    """A second name for a file, or a copy where the file system knows no such thing."""
    if new.exists():
        if new.samefile(old):
            return
        new.unlink()
    try:
        new.hardlink_to(old)
    except OSError:
        with old.open("rb") as source, private.create(new) as copy:
            shutil.copyfileobj(source, copy, _BLOCK)
        private.sync([new])


def _append(file: Path, size: int, part: Path) -> None:
    """Put the part behind the first `size` bytes; whatever an interrupted append left there goes."""
    with file.open("r+b") as target, part.open("rb") as tail:
        target.seek(size)
        shutil.copyfileobj(tail, target, _BLOCK)
        target.truncate()
    private.sync([file])


def _begins_with(file: Path, start: Path) -> bool:
    with file.open("rb") as whole, start.open("rb") as head:
        while block := head.read(_BLOCK):
            if whole.read(len(block)) != block:
                return False
    return True


def sha256(file: Path) -> str:
    """The hash of all the file's bytes, hex."""
    with file.open("rb") as bytes:
        return hashlib.file_digest(bytes, "sha256").hexdigest()


def _sync_names(root: Path, places: Iterable[str]) -> None:
    """Force to disk the names in the places' folders and in those above."""
    folders: set[Path] = set()
    for place in places:
        folder = located(root, place).parent
        while folder != root and folder not in folders:
            folders.add(folder)
            folder = folder.parent
    private.sync(folders | {root} if folders else ())

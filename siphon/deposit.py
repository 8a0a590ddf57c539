"""Putting what arrived into the archive so that a kill at any moment loses nothing and shows no half.

The order: bytes into a part, to disk; the old generation set aside and the ledger told; the part
renamed over the log, or appended beyond the size that the ledger states; then the ledger, at once.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import places, private
from siphon.hashing import digest
from siphon.ledger import Entry, Ledger
from siphon.places import GENERATIONS, PARTS, located
from siphon.resting import rests, wake

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


def commit(root: Path, ledger: Ledger, host: str, arrivals: Sequence[Arrival], at: int) -> None:
    """Make the arrivals part of the archive; their parts are used up."""
    private.sync(arrival.part for arrival in arrivals)
    paths = [arrival.path for arrival in arrivals]
    known = ledger.known(host, paths)
    if wake(root, ledger, [entry for a in arrivals if a.tail and (entry := known.get(a.path))]):
        known = ledger.known(host, paths)
    entries = {path: known.get(path) for path in paths}
    whole = [arrival for arrival in arrivals if not arrival.tail]
    rivals = places.rivals(ledger, host)
    homes = {a.path: places.of_log(root, ledger, host, a.path, rivals) for a in whole}
    new = [arrival for arrival in whole if entries[arrival.path] is None]
    adopted = _adopt(root, ledger, host, new, homes, at)
    entries |= {path: ledger.entry(host, path) for path in adopted}
    aside = _set_aside(root, ledger, [entry for a in whole if (entry := entries[a.path])])
    with places.doubtful(root, [homes[a.path] for a in whole if _nowhere(entries[a.path])]):
        for arrival in whole:
            os.replace(arrival.part, places.name(root, homes[arrival.path]))  # noqa: PTH105
        places.sync_names(root, homes.values())
        tails = [(a, entry) for a in arrivals if a.tail and (entry := entries[a.path])]
        for arrival, entry in tails:
            _append(located(root, entry.place), entry.size, arrival.part)
        private.sync(located(root, entry.place) for _, entry in tails)
        with ledger.write() as db:
            for arrival in whole:
                _written(db, host, arrival, homes[arrival.path], entries[arrival.path], aside, at)
            for arrival, entry in tails:
                _grown(db, entry, arrival, at)
    for arrival, _ in tails:
        arrival.part.unlink()


def _nowhere(entry: Entry | None) -> bool:
    """Whether a known log has no bytes on its own path: what lies there was left by a kill."""
    return entry is not None and (entry.pruned_at is not None or rests(entry.place))


def repair(root: Path, ledger: Ledger) -> None:
    """Bring logs back to their own path whose rewriting was interrupted; drop parts nobody will use."""
    for part in (root / PARTS).iterdir():
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    sql = "select id, host, path, place from logs where place glob ?"
    for id, host, path, place in ledger.rows(sql, f"{GENERATIONS}/*"):
        home = places.of_log(root, ledger, host, path)
        if home.startswith(GENERATIONS):
            continue  # something else lies on its path
        twin = root / PARTS / f"repair-{id}"
        _twin(located(root, place), twin)
        twin.replace(located(root, home))
        twin.unlink(missing_ok=True)  # renaming a file over another name of itself does nothing
        places.sync_names(root, [home])
        with ledger.write() as db:
            db.execute("update logs set place = ? where id = ?", (home, id))


def mend(root: Path, ledger: Ledger, entry: Entry, part: Path) -> None:
    """Put the part, whose bytes are the log's, in the place of those that are lost or damaged."""
    home = places.of_log(root, ledger, entry.host, entry.path)
    private.sync([part])
    with places.doubtful(root, [home, entry.place] if home != entry.place else []):
        part.replace(located(root, home))
        places.sync_names(root, [home])
        sql = "update logs set place = ?, packed_size = null, packed_sha256 = null where id = ?"
        with ledger.write() as db:
            db.execute(sql, (home, entry.id))
        if home != entry.place:
            places.remove(root, entry.place)


def _adopt(
    root: Path, ledger: Ledger, host: str, new: Iterable[Arrival], homes: Mapping[str, str], at: int
) -> list[str]:
    """Enter files that lie where a new log belongs but in no ledger, lest the rename destroy them.

    Their paths.
    """
    adopted = []
    for arrival in new:
        if not os.path.exists(places.name(root, homes[arrival.path])):  # noqa: PTH110
            continue
        file = located(root, homes[arrival.path])
        if _begins_with(arrival.part, file):
            continue
        size = file.stat().st_size
        found = Arrival(arrival.path, file, False, size, None, None, *[digest(file, size)] * 2)
        with ledger.write() as db:
            _written(db, host, found, homes[arrival.path], None, {}, at)
        adopted.append(arrival.path)
    return adopted


def _set_aside(root: Path, ledger: Ledger, entries: Sequence[Entry]) -> dict[int, str]:
    """Give each old generation a second name and let the ledger point there: id → its place.

    One that rests, or was pruned, has nothing on its own path.
    """
    aside = {
        entry.id: entry.place
        if _nowhere(entry)
        else places.of_generation(root, entry.host, entry.path, entry.generation)
        for entry in entries
    }
    moved = {entry.id: aside[entry.id] for entry in entries if entry.place != aside[entry.id]}
    for entry in entries:
        if entry.id in moved:
            _twin(located(root, entry.place), located(root, moved[entry.id]))
    places.sync_names(root, [aside[entry.id] for entry in entries if not _nowhere(entry)])
    if aside:
        with ledger.write() as db:
            rows = [(place, id) for id, place in moved.items()]
            db.executemany("update logs set place = ? where id = ?", rows)
    return aside


_REPLACED = """
    insert into generations (log_id, generation, size, mtime, sha256, place, replaced_at, stamp,
        packed_size, packed_sha256, pruned_at)
    select id, generation, size, mtime, sha256, ?, ?, stamp, packed_size, packed_sha256, pruned_at
    from logs where id = ?
"""


def _written(
    db: sqlite3.Connection,
    host: str,
    arrival: Arrival,
    place: str,
    old: Entry | None,
    aside: Mapping[int, str],
    at: int,
) -> None:
    """Enter a log's first generation, or the one that replaces `old`."""
    generation = 1
    if old is not None:
        generation = old.generation + 1
        db.execute(_REPLACED, (aside[old.id], at, old.id))
    now = (generation, arrival.size, arrival.mtime, arrival.stamp, arrival.sha256, place, at)
    sql = """insert into logs (host, path, generation, size, mtime, stamp, sha256, place, first_seen,
            changed_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
        on conflict (host, path) do update set generation = ?3, size = ?4, mtime = ?5, stamp = ?6,
            sha256 = ?7, place = ?8, changed_at = ?9, gone_at = null, last_seen = null,
            packed_size = null, packed_sha256 = null, pruned_at = null
        returning id"""
    (id,) = db.execute(sql, (host, arrival.path, *now)).fetchone()
    _segment(db, id, generation, 0, arrival, at)


def _grown(db: sqlite3.Connection, entry: Entry, arrival: Arrival, at: int) -> None:
    """Enter what was appended to a generation."""
    sql = """update logs set size = ?, mtime = ?, stamp = ?, sha256 = ?, changed_at = ?, gone_at = null,
        last_seen = null where id = ?"""
    db.execute(sql, (arrival.size, arrival.mtime, arrival.stamp, arrival.sha256, at, entry.id))
    _segment(db, entry.id, entry.generation, entry.size, arrival, at)


def _segment(
    db: sqlite3.Connection, id: int, generation: int, start: int, arrival: Arrival, at: int
) -> None:
    if arrival.size > start:
        row = (id, generation, start, arrival.size - start, arrival.segment, at)
        db.execute("insert into segments values (?, ?, ?, ?, ?, ?)", row)


def _twin(old: Path, new: Path) -> None:
    """A second name for a file, or a copy where the file system knows no such thing.

    A file that the archive has lost is left to `verify` to report.
    """
    if not old.exists():
        return
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
    """Put the part behind the first `size` bytes; whatever an interrupted append left there goes.

    The caller forces it to disk.
    """
    with file.open("r+b") as target, part.open("rb") as tail:
        target.seek(size)
        shutil.copyfileobj(tail, target, _BLOCK)
        target.truncate()


def _begins_with(file: Path, start: Path) -> bool:
    with file.open("rb") as whole, start.open("rb") as head:
        while block := head.read(_BLOCK):
            if whole.read(len(block)) != block:
                return False
    return True

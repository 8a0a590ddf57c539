"""SQLite stores that are in use: a copy that is consistent, without locking or touching the original.

The main file and its -wal are copied. If the main file is afterwards what it was before, no checkpoint
came in between, and the whole transactions in the -wal belong to it. A -journal says that the main file
was in the middle of a write; it is copied too, and undoes that write in our copy. What is archived is
one file, the -wal merged into it.
"""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.archive import Archive
from siphon.deposit import Arrival
from siphon.hashing import digest
from siphon.hosts import Found, Host, Want
from siphon.plan import StoreTask
from siphon.wanted import STORE_PARTS

_MAGIC = b"SQLite format 3\0"
_PAUSES = (0.1, 0.3, 0.6, 1.2, 0)  # seconds after each attempt


class Snapshot(NamedTuple):
    """A copy of a store, and what is wrong: with it, or why there is none."""

    arrival: Arrival | None
    problem: str | None
    bytes: int  # fetched


def snapshot(host: Host, task: StoreTask, archive: Archive) -> Snapshot:
    """Copy until nobody wrote in between."""
    fetched = 0
    damage = None
    for pause in _PAUSES:
        folder = archive.part()
        private.folder(folder)
        try:
            whole = _copy(host, task, folder)
            fetched += sum(found.size for found in task.files.values())
            after = _now(host, task.path)
            if "" not in after:
                return Snapshot(None, "it went away while it was read", fetched)
            if whole and _quiet(task.files, after):
                if damage is not None:  # twice the same: the store is so, it is not our copying
                    return Snapshot(
                        _arrival(task, folder, archive), f"archived as it is: {damage}", fetched
                    )
                damage = _merge(folder / "store")
                if damage is None:
                    return Snapshot(_arrival(task, folder, archive), None, fetched)
        finally:
            shutil.rmtree(folder)
        task = StoreTask(after, task.entry)
        time.sleep(pause)
    return Snapshot(None, "it was written to all the time; the next collect tries again", fetched)


def _copy(host: Host, task: StoreTask, folder: Path) -> bool:
    """Copy the store's files; whether all came whole."""
    wants = {Want(found.path, 0, found.size): suffix for suffix, found in task.files.items()}
    came = 0
    for piece in host.fetch(list(wants), exact=True):
        state = hashlib.sha256()
        with private.create(folder / f"store{wants[piece.want]}") as file:
            for block in piece.blocks:
                file.write(block)
                state.update(block)
            size = file.tell()
        proof = piece.proof()
        came += size == piece.want.size and proof.sha256 in (None, state.hexdigest())
    return came == len(wants)


def _now(host: Host, path: str) -> dict[str, Found]:
    """The store's files as they are, by suffix."""
    found = host.stat([path + suffix for suffix in ("", *STORE_PARTS)])
    return {file.path.removeprefix(path): file for file in found.values()}


def _quiet(before: Mapping[str, Found], after: Mapping[str, Found]) -> bool:
    """Whether the copy is consistent: a -wal may have grown meanwhile, all else must be the same."""
    if after[""].stamp is None or after[""].stamp != before[""].stamp:
        return False
    return [before.get("-journal")] == [after.get("-journal")]


def _merge(store: Path) -> str | None:
    """Bring the copy's -wal, or an interrupted write, into its main file; what is wrong with it."""
    with store.open("rb") as file:
        if file.read(len(_MAGIC)) not in (_MAGIC, b""):
            return "it is no SQLite database, or an encrypted one"
    try:
        with closing(sqlite3.connect(store)) as db:
            (state,) = db.execute("pragma quick_check(1)").fetchone()
            db.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if state == "ok" else str(state)


def _arrival(task: StoreTask, folder: Path, archive: Archive) -> Arrival:
    part = archive.part()
    (folder / "store").replace(part)
    size = part.stat().st_size
    hash = digest(part, size)
    mtime = max(found.mtime for found in task.files.values()) // 1_000_000
    return Arrival(task.path, part, False, size, mtime, task.stamp, hash, hash)

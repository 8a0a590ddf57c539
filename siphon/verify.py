"""Checking an archive against its ledger: is every file there, as long as it must be, and unchanged?"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import audit, places
from siphon.errors import SiphonError
from siphon.hashing import digest, hashed
from siphon.ledger import Ledger
from siphon.packs import index, opened
from siphon.pathtext import text
from siphon.places import PACKED, PARTS, located

Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes to read)."""


def silent(_done: int, _total: int) -> None:
    """Progress that nobody wants to know of."""


class Finding(NamedTuple):
    """Something in the archive that is not as its ledger says."""

    host: str | None
    path: str  # of the log below its home; without a host: of the file below the archive
    generation: int | None
    what: str


class Share(NamedTuple):
    """Which logs are read: those of one part of so many. Each log is in one part, always the same."""

    part: int  # from 1
    of: int

    def has(self, id: int) -> bool:
        """Whether the log is in this part."""
        return id % self.of == self.part - 1


ALL = Share(1, 1)


_LONGEST_COMMIT = 3600  # seconds between a file's name and the ledger's word of it
_BOOK = ".ledger.db"
_BROKEN = (
    "its bytes are not those that siphon wrote: restore it from a backup, or, where all else is found"
    " well, `siphon verify --mend` takes it as it is"
)


class _Kept(NamedTuple):
    id: int
    host: str
    path: str
    generation: int
    size: int
    sha256: str
    place: str
    packed_size: int | None
    packed_sha256: str | None


_KEPT = """
    select id, host, path, generation, size, sha256, place, packed_size, packed_sha256
    from logs where pruned_at is null
    union all
    select id, host, path, g.generation, g.size, g.sha256, g.place, g.packed_size, g.packed_sha256
    from generations g join logs on id = log_id where g.pruned_at is null
"""
_ALL = f"{_KEPT} order by host, path, generation"
_ONE = f"select * from ({_KEPT}) where id = ? and generation = ?"

# Segments must follow each other without a hole and end where their generation ends.
_CHAIN = """
    select log_id, generation, sum(size), max(start + size), count(*),
        case count(*) when 1 then max(sha256) end
    from segments
"""


def findings(
    root: Path, ledger: Ledger, read: Share | None = None, progress: Progress = silent
) -> Iterator[Finding]:
    """Yield what is missing, of another size or unknown; of the logs to read also what has changed.

    A collect may be at work: what looks wrong is looked at again, as the ledger then has it.
    """
    try:
        if ledger.broken():
            yield Finding(None, _BOOK, None, _BROKEN)
        ((state,), *_) = ledger.rows("pragma integrity_check(1)")
        if state != "ok":
            yield Finding(None, _BOOK, None, f"damaged: {state}; restore it from a backup")
        else:
            yield from _compared(root, ledger, read, progress)
    except (sqlite3.Error, UnicodeError, SiphonError) as error:
        yield Finding(None, _BOOK, None, f"damaged: {error}; restore it from a backup")


def _compared(root: Path, ledger: Ledger, read: Share | None, progress: Progress) -> Iterator[Finding]:
    started = time.time()
    kept = [_Kept._make(row) for row in ledger.rows(_ALL)]
    total = sum(one.size for one in kept if read is not None and read.has(one.id))
    done = 0
    chains = {row[:2]: row[2:] for row in ledger.rows(f"{_CHAIN} group by log_id, generation")}
    for one in kept:
        chosen = read is not None and read.has(one.id)
        chain = chains.get((one.id, one.generation))
        if _wrong(root, ledger, one, chain, chosen) and (what := _still(root, ledger, one, chosen)):
            yield Finding(one.host, one.path, one.generation, what)
        if chosen:
            done += one.size
            progress(done, total)
    yield from _strangers(root, ledger, {one.place for one in kept}, started)
    for number in audit.altered(root):
        yield Finding(None, audit.FILE, None, f"line {number} is not as it was written")


def _still(root: Path, ledger: Ledger, kept: _Kept, read: bool) -> str | None:
    """What is wrong with a generation, as the ledger has it now."""
    for row in ledger.rows(_ONE, kept.id, kept.generation):
        sql = f"{_CHAIN} where log_id = ? and generation = ? group by log_id, generation"
        chains = [chain[2:] for chain in ledger.rows(sql, kept.id, kept.generation)]
        return _wrong(root, ledger, _Kept._make(row), chains[0] if chains else None, read)
    return None  # pruned meanwhile


def extent(ledger: Ledger, read: Share | None) -> tuple[int, int]:
    """How many generations there are, and how many bytes are read of them."""
    kept = [_Kept._make(row) for row in ledger.rows(_ALL)]
    return len(kept), sum(one.size for one in kept if read is not None and read.has(one.id))


def _unlike(kept: _Kept, chain: Sequence[object] | None) -> str | None:
    """What is wrong with the ledger's own rows of a generation."""
    if chain is None:
        return None if kept.size == 0 else "the ledger has no segments of it"
    size, end, count, sha256 = chain
    if (size, end) != (kept.size, kept.size) or (count == 1 and sha256 != kept.sha256):
        return "the ledger's segments do not make up its size and hash"
    return None


def _wrong(
    root: Path, ledger: Ledger, kept: _Kept, chain: Sequence[object] | None, read: bool
) -> str | None:
    try:
        own = _unlike(kept, chain) or _wrong_size(root, kept)
        return own or (_changed(root, ledger, kept) if read else None)
    except OSError as error:
        return f"missing: {error.strerror}" if error.strerror else str(error)


def _wrong_size(root: Path, kept: _Kept) -> str | None:
    size = located(root, kept.place).stat().st_size
    if kept.packed_size is not None and size != kept.packed_size:
        return f"damaged: packed, it has {size} bytes instead of {kept.packed_size}"
    if kept.place.startswith(PACKED):
        index(root, kept.place)
    elif kept.packed_size is None and size < kept.size:
        return f"too short: {size} of {kept.size} bytes"
    return None


def _changed(root: Path, ledger: Ledger, kept: _Kept) -> str | None:
    # The packed file too: a bit that unpacking does not look at may be wrong.
    if kept.packed_sha256 is not None and digest(located(root, kept.place)) != kept.packed_sha256:
        return "damaged: its packed bytes have changed"
    with opened(root, kept.place, kept.size) as file:
        found = hashed(file, kept.size).hexdigest()
    if found == kept.sha256:
        return None
    where = _changed_segments(root, ledger, kept)
    return f"changed: its bytes hash to {found[:12]}…, archived were {kept.sha256[:12]}…{where}"


def _changed_segments(root: Path, ledger: Ledger, kept: _Kept) -> str:
    """Which of the pieces that arrived one after the other are damaged."""
    sql = "select start, size, sha256 from segments where log_id = ? and generation = ? order by start"
    bad = []
    with opened(root, kept.place, kept.size) as file:
        for start, size, sha256 in ledger.rows(sql, kept.id, kept.generation):
            file.seek(start)
            if hashed(file, size).hexdigest() != sha256:
                bad.append(f"{start} to {start + size}")
    return f"; bytes {', '.join(bad[:5])}{' …' if len(bad) > 5 else ''}" if bad else ""


def _strangers(root: Path, ledger: Ledger, known: set[str], started: float) -> Iterator[Finding]:
    """Files that no ledger names. What may just be on its way in is none."""
    running = ledger.rows("select 1 from runs where kind = 'collect' and outcome = 'running'")
    settled = started - (_LONGEST_COMMIT if running else 0)
    moving = places.noted(root)
    for place in _files(root):
        if place in known or place in moving or ledger.names(place):
            continue
        try:
            new = located(root, place).lstat().st_ctime >= settled
        except OSError:
            continue  # gone meanwhile
        if not new:
            yield Finding(None, place, None, "in no ledger: left by a kill, or put there by hand")


def _files(root: Path) -> Iterator[str]:
    """Yield the place of every file in the archive but its own books and parts."""
    for folder, names, files in os.walk(root):
        if Path(folder) == root:
            names[:] = [name for name in names if name not in (PARTS, ".locks")]
            files = []
        for name in files:
            yield text(os.fsencode(Path(folder, name).relative_to(root)))

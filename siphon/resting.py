"""Logs at rest: one that has not grown for two weeks is kept as zstd until it grows again.

The bytes are whole in one form or the other at any moment, and each form is proved by the ledger's hash
before the other goes.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import places, private
from siphon.bounded import bounded
from siphon.hashing import digest, hashed
from siphon.ledger import ENTRY, Entry, Ledger
from siphon.places import PARTS, RESTING, located
from siphon.zst import pack, seekable

DAYS = 14
SMALLEST = 4096  # bytes: a smaller file takes a disk's block in either form
_BATCH_LOGS = 500  # made durable together
_BATCH_BYTES = 64 << 20
_BLOCK = 1 << 20


class Rested(NamedTuple):
    """What was packed, or would be."""

    logs: int = 0
    bytes: int = 0  # before
    packed: int = 0  # after; 0 in a plan
    damaged: int = 0  # left as they are: their bytes are not those that were archived


class _Packed(NamedTuple):
    """A log's packed form, waiting in a part."""

    entry: Entry
    part: Path
    place: str
    size: int  # bytes
    sha256: str


def rests(place: str) -> bool:
    """Whether the place is one of a packed log."""
    return place.startswith(RESTING + "/")


def at_rest(ledger: Ledger, host: str, before: int) -> list[Entry]:
    """The host's logs that have not grown since `before` (ms) and are not packed yet, oldest first."""
    sql = f"""select {ENTRY} from logs where host = ? and changed_at < ? and size >= ?
        and pruned_at is null and place not glob ? order by changed_at, id"""
    rows = ledger.rows(sql, host, before, SMALLEST, f"{RESTING}/*")
    return list(map(Entry._make, rows))


def rest(
    root: Path,
    ledger: Ledger,
    entries: Sequence[Entry],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Rested:
    """Pack these logs; `progress` is told (bytes done, bytes in all)."""
    total, all_bytes = Rested(), sum(entry.size for entry in entries)
    for batch in _batches(entries):
        packed = [one for entry in batch if (one := _packed(root, entry)) is not None]
        _exchange(root, ledger, packed)
        total = Rested(
            total.logs + len(packed),
            total.bytes + sum(one.entry.size for one in packed),
            total.packed + sum(one.size for one in packed),
            total.damaged + len(batch) - len(packed),
        )
        progress(total.bytes, all_bytes)
    return total


def wake(root: Path, ledger: Ledger, entries: Sequence[Entry]) -> bool:
    """Unpack those of the logs that rest: they grow again. Whether there were any.

    Raises OSError where one is damaged.
    """
    resting = [entry for entry in entries if rests(entry.place)]
    if not resting:
        return False
    homes = {entry.id: places.of_log(root, ledger, entry.host, entry.path) for entry in resting}
    parts = {entry.id: _unpacked(root, entry) for entry in resting}
    private.sync(parts.values())
    with places.doubtful(root, [*homes.values(), *(entry.place for entry in resting)]):
        for id, part in parts.items():
            part.replace(located(root, homes[id]))
        places.sync_names(root, homes.values())
        sql = "update logs set place = ?, packed_size = null, packed_sha256 = null where id = ?"
        with ledger.write() as db:
            db.executemany(sql, [(home, id) for id, home in homes.items()])
        for entry in resting:
            places.remove(root, entry.place)
    return True


def _batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) >= _BATCH_LOGS or sum(one.size for one in batch) >= _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _packed(root: Path, entry: Entry) -> _Packed | None:
    """The log packed into a part; None if its bytes are lost or damaged: for `verify` to tell."""
    part = root / PARTS / f"rest-{entry.id}"
    part.unlink(missing_ok=True)
    try:
        with bounded(str(located(root, entry.place)), entry.size) as file, private.create(part) as out:
            pack(file, out)
        with seekable(part.open("rb"), entry.size) as again:
            whole = hashed(again).hexdigest()
    except OSError:
        whole = ""
    if whole != entry.sha256:
        part.unlink(missing_ok=True)
        return None
    place = places.of_resting(root, entry.host, entry.path, entry.generation)
    return _Packed(entry, part, place, part.stat().st_size, digest(part))


def _exchange(root: Path, ledger: Ledger, packed: Sequence[_Packed]) -> None:
    """Put the packed forms in the place of the plain ones."""
    if not packed:
        return
    private.sync(one.part for one in packed)
    with places.doubtful(root, [place for one in packed for place in (one.place, one.entry.place)]):
        for one in packed:
            one.part.replace(located(root, one.place))
        places.sync_names(root, [one.place for one in packed])
        sql = "update logs set place = ?, packed_size = ?, packed_sha256 = ? where id = ?"
        with ledger.write() as db:
            db.executemany(sql, [(one.place, one.size, one.sha256, one.entry.id) for one in packed])
        for one in packed:
            places.remove(root, one.entry.place)


def _unpacked(root: Path, entry: Entry) -> Path:
    part = root / PARTS / f"wake-{entry.id}"
    part.unlink(missing_ok=True)
    with (
        seekable(located(root, entry.place).open("rb"), entry.size) as file,
        private.create(part) as out,
    ):
        shutil.copyfileobj(file, out, _BLOCK)
    if digest(part) != entry.sha256:
        raise OSError(f"{entry.place}: damaged: its bytes are not those that were archived")
    return part

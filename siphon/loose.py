"""Loose files: exported or copied logs, filed in the archive as if a host of that name had them."""

import hashlib
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

from siphon import private
from siphon.archive import Archive
from siphon.config import HOST_NAME
from siphon.deposit import Arrival
from siphon.errors import SiphonError
from siphon.folder import Folder
from siphon.pathtext import text
from siphon.recognise import Place, places
from siphon.unpack import packed, unpack

_BATCH = 500  # files filed at once
_BLOCK = 1 << 20
_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_PARTS = ("-wal", "-journal")  # what belongs to an SQLite store
_UNKNOWN = "no tool is known that writes such a log; `siphon sources` lists those that are"
_STORE = b"SQLite format 3\0"


class Filed(NamedTuple):
    """What became of one loose file."""

    file: str  # as named by the user, or inside what was named
    source: str | None = None
    host: str | None = None
    path: str | None = None  # below the host's home in the archive
    new: bool = False  # False: the archive held these bytes already
    error: str | None = None  # why it was not filed
    left_out: str | None = None  # why it is no log, beside others that are: nothing wrong


class _RefusedError(Exception):
    """Why a file is not filed, though it is known where it belongs."""


def file_loose(archive: Archive, paths: Sequence[Path], host: str | None = None) -> list[Filed]:
    """File logs given as files, folders, .zip or .tar(.gz); `host` is else made from each path's name.

    A file that more than one source claims is an error, and so is one that the archive holds in a newer
    state, or a path in which no source claims anything; else what none claims is left out. Raises
    SiphonError for a path that does not exist and for a host that is no name.
    """
    for path in paths:
        if not path.exists():
            raise SiphonError(f"{path}: no such file or folder")
    if host is not None and not HOST_NAME.fullmatch(host):
        raise SiphonError(
            f"host {host!r}: a host's name is made of letters, digits, '.', '_' and '-', and begins"
            " with no '.'"
        )
    with archive.lock("siphon load", _now()):
        return [
            one
            for path in paths
            for one in _sorted(path, _file(archive, path, host or _host_name(path)))
        ]


def _sorted(path: Path, filed: list[Filed]) -> list[Filed]:
    """Tell what is merely no log, beside others, from what went wrong."""
    if not filed:
        return [Filed(str(path), error="there is no file in it")]
    if all(one.source is None for one in filed):
        return filed
    return [
        one._replace(error=None, left_out=one.error) if one.error == _UNKNOWN else one for one in filed
    ]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _host_name(path: Path) -> str:
    name = path.resolve().name
    while "." in name.strip(".") and path.is_file():
        name = name.rpartition(".")[0]
    return "loose-" + (_NAME.sub("-", name).strip(".-") or "files")


def _file(archive: Archive, path: Path, host: str) -> list[Filed]:
    if path.is_dir():
        home = Folder(path)
        return _all(archive, home, list(home.files()), host, path, path.absolute().parts[1:])
    if packed(path):
        return _unpacked(archive, path, host)
    above = path.absolute().parent
    return _all(archive, Folder(above), [path.name], host, path.parent, above.parts[1:])


def _unpacked(archive: Archive, path: Path, host: str) -> list[Filed]:
    folder = archive.part()  # what a kill leaves of it is cleared with the archive's other parts
    private.folder(folder)
    try:
        try:
            unpack(path, folder)
        except SiphonError as error:
            return [Filed(str(path), error=str(error).removeprefix(f"{path}: "))]
        home = Folder(folder)
        return _all(archive, home, list(home.files()), host, path)
    finally:
        shutil.rmtree(folder)


def _all(
    archive: Archive, home: Folder, paths: list[str], host: str, said: Path, above: Sequence[str] = ()
) -> list[Filed]:
    stores = {path: store for path in paths if (store := _store_of(home, path)) in paths}
    found = places(home, [path for path in paths if path not in stores], above)
    known = {path: told[0] for path, told in found.items() if len(told) == 1}
    outcome = _deposit(archive, host, home, known)
    filed = []
    for path in paths:
        whole = stores.get(path, path)
        place, result = known.get(whole), outcome.get(whole, _doubt(found[whole]))
        if place is None or isinstance(result, str):
            filed.append(Filed(str(said / path), error=str(result)))
        else:
            filed.append(Filed(str(said / path), place.source, host, place.path, result))
    return filed


def _store_of(home: Folder, path: str) -> str | None:
    """The store to which a -wal or -journal belongs; None: it is none."""
    for end in _PARTS:
        store = path.removesuffix(end)
        if store != path and _is_store(home, store):
            return store
    return None


def _is_store(home: Folder, path: str) -> bool:
    try:
        file = home.open(path)
        if file is None:
            return False
        with file:
            return file.read(len(_STORE)) == _STORE
    except OSError:  # its own copying tells why
        return False


def _doubt(told: Sequence[Place]) -> str:
    if not told:
        return _UNKNOWN
    return f"could be a log of {' or '.join(place.source for place in told)}; put it under its path"


def _deposit(
    archive: Archive, host: str, home: Folder, known: dict[str, Place]
) -> dict[str, bool | str]:
    """File the logs, older before newer: by path whether it is new, or why it was not filed."""
    outcome: dict[str, bool | str] = {}
    batch: dict[str, Arrival] = {}
    for path in sorted(known, key=lambda path: _age(home, path)):
        target = text(known[path].path.encode(errors="surrogateescape"))
        if len(batch) >= _BATCH or target in batch:
            archive.add(host, list(batch.values()), _now())
            batch.clear()
        try:
            arrival = _arrival(archive, host, home, path, target)
        except (_RefusedError, OSError, sqlite3.DatabaseError) as error:
            outcome[path] = str(error)
            continue
        outcome[path] = arrival is not None
        if arrival is not None:
            batch[target] = arrival
    archive.add(host, list(batch.values()), _now())
    return outcome


def _age(home: Folder, path: str) -> tuple[int, int]:
    try:
        status = (home.root / path).stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


def _arrival(archive: Archive, host: str, home: Folder, path: str, target: str) -> Arrival | None:
    """The file's bytes in a part, ready to be added; None if the archive holds them."""
    part = archive.part()
    mtime = _age(home, path)[0] // 1_000_000
    try:
        digest = _copied(home, path, part)
        size = part.stat().st_size
        if not _held(archive, host, target, part, digest, mtime):
            return Arrival(target, part, False, size, mtime, None, digest, digest)
    except (_RefusedError, OSError, sqlite3.DatabaseError):
        part.unlink(missing_ok=True)
        raise
    part.unlink()
    return None


def _copied(home: Folder, path: str, part: Path) -> str:
    """Copy the file, a store with what its -wal holds; its sha256, hex."""
    file = home.open(path)
    if file is None:
        raise _RefusedError("no regular file, or a link that leads out of its folder")
    with file, private.create(part) as copy:
        shutil.copyfileobj(file, copy, _BLOCK)
    rest = [(end, home.open(path + end)) for end in _PARTS if _is_store(home, path)]
    if any(file is not None for _, file in rest):
        _merge(part, rest)
    with part.open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").hexdigest()


def _merge(part: Path, rest: Iterable[tuple[str, IO[bytes] | None]]) -> None:
    """Bring what stands in the -wal, or in an interrupted write's -journal, into the store."""
    for end, file in rest:
        if file is not None:
            with file, private.create(part.with_name(part.name + end)) as copy:
                shutil.copyfileobj(file, copy, _BLOCK)
    try:
        with closing(sqlite3.connect(part)) as store:
            store.execute("pragma wal_checkpoint(truncate)").fetchone()
            store.execute("select count(*) from sqlite_master").fetchone()
    finally:
        for end in (*_PARTS, "-shm"):
            part.with_name(part.name + end).unlink(missing_ok=True)


def _held(archive: Archive, host: str, path: str, part: Path, digest: str, mtime: int) -> bool:
    """Whether the archive holds these bytes, or the log they are the beginning of."""
    entry = archive.ledger.entry(host, path)
    if entry is None or entry.pruned_at is not None:
        return False
    held = archive.home(host).open(path)
    if entry.sha256 == digest or held is None:
        return entry.sha256 == digest
    with held, part.open("rb") as mine:
        if _begins(held, mine):
            return True
    if entry.mtime is not None and entry.mtime > mtime:
        raise _RefusedError(f"the archive holds a newer {host}/{path}; give this one another --host")
    return False


def _begins(whole: IO[bytes], start: IO[bytes]) -> bool:
    while block := start.read(_BLOCK):
        if whole.read(len(block)) != block:
            return False
    return True


def refusals(filed: Iterable[Filed], limit: int = 20) -> Iterator[str]:
    """A line for each file that was not filed; of those with one reason at most `limit`."""
    yield from _lines("not filed", [(one.file, one.error) for one in filed], limit)


def notices(filed: Iterable[Filed], limit: int = 5) -> Iterator[str]:
    """A line for each file that was left out, as `refusals`."""
    yield from _lines("left out", [(one.file, one.left_out) for one in filed], limit)


def _lines(what: str, told: Iterable[tuple[str, str | None]], limit: int) -> Iterator[str]:
    reasons: dict[str, int] = {}
    for file, why in told:
        if why is not None:
            reasons[why] = reasons.get(why, 0) + 1
            if reasons[why] <= limit:
                yield f"{file}: {what}: {why}"
    for reason, count in reasons.items():
        if count > limit:
            yield f"and {count - limit} more files were {what} (--json lists them): {reason}"

"""Out of the archive: a home, a folder or a log as it was, byte for byte and with its time."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.archive import Archive
from siphon.errors import SiphonError
from siphon.hashing import digest, hashed
from siphon.inventory import Generation, generations
from siphon.pathtext import inside, raw

_BLOCK = 1 << 20
_numbers = count()


class Copy(NamedTuple):
    """A log to restore."""

    host: str
    path: str
    generation: int
    size: int  # bytes; of an earlier moment, fewer than its generation has now
    sha256: str | None  # None: of that beginning no hash is known
    mtime: int | None  # ns
    below: str  # where it goes, below the target folder


class Restored(NamedTuple):
    """What came of it."""

    logs: int  # written
    bytes: int
    same: int  # were there already, with these bytes
    problems: tuple[str, ...]


def planned(
    archive: Archive, host: str, path: str, generation: int | None = None, at: int | None = None
) -> list[Copy]:
    """What to restore: a log, the logs below a folder, or ("") a whole home, and of hosts below it.

    `generation`: of a single log; `at`: as archived at that moment (ms). Logs gone from their host are
    restored, too. Raises SiphonError where there is nothing.
    """
    copies = [
        copy
        for name, below in _hosts(archive, host, path)
        for one in _paths(archive, name, path)
        if (copy := _copy(archive, name, one, below, generation, at)) is not None
    ]
    if not copies:
        when = "" if at is None else " of that time"
        which = "" if generation is None else f" generation {generation} of"
        raise SiphonError(f"nothing{when} to restore:{which} {host}/{path} is not in the archive")
    return copies


def _hosts(archive: Archive, host: str, path: str) -> Iterator[tuple[str, str]]:
    """The host, and for a whole home those below it, with their folder in the target."""
    yield host, ""
    if not path:
        sql = "select distinct host from logs where host > ? and host < ? order by 1"
        for (name,) in archive.ledger.rows(sql, f"{host}/", f"{host}0"):
            yield name, name.removeprefix(f"{host}/") + "/"


def _paths(archive: Archive, host: str, path: str) -> list[str]:
    if not path:
        return archive.ledger.paths(host, "")
    entry = archive.ledger.entry(host, path)
    own = [path] if entry is not None and entry.pruned_at is None else []
    return own + archive.ledger.paths(host, path)


def _copy(
    archive: Archive, host: str, path: str, below: str, generation: int | None, at: int | None
) -> Copy | None:
    for one in reversed(generations(archive, host, path)):
        if one.pruned_at is not None or (generation not in (None, one.generation)):
            continue
        if at is not None and one.began_at > at:
            continue
        return _as_of(archive, one, below, at)
    return None


def _as_of(archive: Archive, one: Generation, below: str, at: int | None) -> Copy:
    """The generation, or its beginning as it had arrived by then."""
    came = one.segments if at is None else [part for part in one.segments if part.arrived_at <= at]
    size = sum(part.size for part in came)
    whole = size == one.size
    mtime = _mtime(archive, one) if whole else came[-1].arrived_at * 1_000_000 if came else None
    sha256 = one.sha256 if whole else None
    return Copy(one.host, one.path, one.generation, size, sha256, mtime, f"{below}{one.path}")


def _mtime(archive: Archive, one: Generation) -> int | None:
    """In ns, as the stamp has it ("size time inode", of a store one of each file), else in whole ms."""
    if one.mtime is None:
        return None
    sql = """select stamp from logs where host = ?1 and path = ?2 and generation = ?3 union all
        select g.stamp from generations g join logs on id = log_id
        where host = ?1 and path = ?2 and g.generation = ?3"""
    for (stamp,) in archive.ledger.rows(sql, one.host, one.path, one.generation):
        words = [part.split() for part in (stamp or "").split("; ")]
        times = [int(word[1]) for word in words if len(word) > 2 and word[1].isdigit()]
        if times and max(times) // 1_000_000 == one.mtime:
            return max(times)
    return one.mtime * 1_000_000


def restore(
    archive: Archive,
    copies: Sequence[Copy],
    target: Path,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Restored:
    """Write the copies below the target folder.

    Raises SiphonError, with nothing written, where other files are in the way, but for `overwrite`.
    """
    root = target.resolve()
    if root.is_relative_to(archive.root.resolve()):
        raise SiphonError(f"{target} lies in the archive; restore to another folder")
    there = {copy: _there(archive, copy, root) for copy in copies if os.path.lexists(_file(root, copy))}
    if not overwrite and False in there.values():
        other = [copy for copy, same in there.items() if not same]
        more = f", as are {len(other) - 1} more" if len(other) > 1 else ""
        raise SiphonError(
            f"{_file(root, other[0])} is there, with other bytes{more}: --overwrite replaces them"
        )
    private.folder(root)
    written, problems, done, total = [], [], 0, sum(copy.size for copy in copies)
    for copy in copies:
        if not there.get(copy):
            problem = _write(archive, copy, root)
            problems += [f"{copy.host}/{copy.path}: {problem}"] if problem else []
            written += [] if problem else [copy]
        done += copy.size
        progress(done, total)
    same = sum(there.values())
    return Restored(len(written), sum(copy.size for copy in written), same, tuple(problems))


def _file(root: Path, copy: Copy) -> Path:
    return Path(f"{root}/{os.fsdecode(raw(copy.below))}")


def _there(archive: Archive, copy: Copy, root: Path) -> bool:
    """Whether what lies there already has these bytes."""
    file = _file(root, copy)
    if file.is_symlink() or not file.is_file() or file.stat().st_size != copy.size:
        return False
    wanted = copy.sha256 or _hash(archive, copy)
    return digest(file) == wanted


def _hash(archive: Archive, copy: Copy) -> str | None:
    file = archive.open(copy.host, copy.path, copy.generation)
    if file is None:
        return None
    with file:
        return hashed(file, copy.size).hexdigest()


def _write(archive: Archive, copy: Copy, root: Path) -> str | None:
    """Put the copy in its place, whole or not at all; what was wrong."""
    file = _file(root, copy)
    part = file.with_name(f".siphon-{os.getpid()}-{next(_numbers)}")
    try:
        if not inside(raw(copy.below)):
            return "its path leads out of the home"
        private.folder(file.parent)
        if not file.parent.resolve().is_relative_to(root):
            return "a link in the target folder leads out of it"
        try:
            problem = _filled(archive, copy, part)
            if problem is None:
                _named(copy, part, file)
            return problem
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)


def _filled(archive: Archive, copy: Copy, part: Path) -> str | None:
    source = archive.open(copy.host, copy.path, copy.generation)
    if source is None:
        return "it is not in the archive any more"
    state, left = hashlib.sha256(), copy.size
    with source, private.create(part) as out:
        while left and (block := source.read(min(left, _BLOCK))):
            out.write(block)
            state.update(block)
            left -= len(block)
    if left or copy.sha256 not in (None, state.hexdigest()):
        return "its archived bytes are damaged; `siphon verify --read-data` tells more"
    return None


def _named(copy: Copy, part: Path, file: Path) -> None:
    if copy.mtime is not None:
        os.utime(part, ns=(copy.mtime, copy.mtime))
    part.replace(file)

"""Deleting from the archive, only ever on demand: old logs, and nothing that a kept one is read with.

What is pruned leaves a tombstone in the ledger: its size, times and hash. So the next collect does not
fetch the same bytes again, and one that changes on its host comes as a new generation. Its rows leave
the database with the next load, as the database is made from the archive alone.
"""

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from siphon import db, places, stale
from siphon.archive import Archive
from siphon.errors import SiphonError
from siphon.globs import compiled, fixed_folder
from siphon.sources import sources

_BATCH = 500  # logs whose files go together
_READS = msgspec.json.Decoder(list[tuple[str, str, str]])


class Old(NamedTuple):
    """A log to prune."""

    id: int
    host: str
    path: str
    generations: int
    bytes: int  # of all its generations
    stored: int  # bytes they take here
    at: int  # ms: when it was last written on its host, else when bytes last arrived
    sessions: int  # in the database
    places: tuple[str, ...]


class Plan(NamedTuple):
    """What a prune would delete."""

    logs: list[Old]
    kept: int  # old, but read together with newer logs


class HostPlan(NamedTuple):
    """A plan's figures for one host."""

    host: str
    logs: int
    generations: int
    bytes: int
    stored: int
    sessions: int
    oldest: int  # ms
    newest: int  # ms


def plan(
    archive: Archive, database: Path, before: int, hosts: Collection[str], skip: Iterable[str] = ()
) -> Plan:
    """The logs not written since `before` (ms), of these hosts or (none named) all.

    Raises SiphonError where the database does not know all that is archived: it tells what belongs
    together.
    """
    old = [one for one in _logs(archive) if one.at < before and (not hosts or one.host in hosts)]
    with closing(db.connect(database)) as connection:
        _check(archive, database, connection, skip)
        chosen = {(one.host, one.path) for one in old}
        needed = _needed(connection, chosen)
        counts = _sessions(connection)
    logs = [
        one._replace(sessions=counts.get((one.host, one.path), 0))
        for one in old
        if (one.host, one.path) not in needed
    ]
    return Plan(logs, len(old) - len(logs))


def by_host(logs: Sequence[Old]) -> list[HostPlan]:
    """The plan in figures."""
    found: dict[str, list[Old]] = defaultdict(list)
    for one in logs:
        found[one.host].append(one)
    return [
        HostPlan(
            host,
            len(some),
            sum(one.generations for one in some),
            sum(one.bytes for one in some),
            sum(one.stored for one in some),
            sum(one.sessions for one in some),
            min(one.at for one in some),
            max(one.at for one in some),
        )
        for host, some in sorted(found.items())
    ]


def prune(archive: Archive, logs: Sequence[Old], at: int, progress: Callable[[int, int], None]) -> None:
    """Delete the logs' bytes; a kill leaves each log whole or gone."""
    for start in range(0, len(logs), _BATCH):
        batch = logs[start : start + _BATCH]
        with places.doubtful(archive.root, [place for one in batch for place in one.places]):
            with archive.ledger.write() as ledger:
                for table, key in (("logs", "id"), ("generations", "log_id")):
                    sql = f"""update {table} set pruned_at = ?, place = '', packed_size = null,
                        packed_sha256 = null where {key} = ? and pruned_at is null"""
                    ledger.executemany(sql, [(at, one.id) for one in batch])
            for one in batch:
                for place in one.places:
                    places.remove(archive.root, place)
        progress(start + len(batch), len(logs))


def _logs(archive: Archive) -> Iterator[Old]:
    sql = """select id, host, path, coalesce(mtime, changed_at), size, coalesce(packed_size, size), place
        from logs where pruned_at is null order by host, path"""
    older = defaultdict(list)
    for log_id, *rest in archive.ledger.rows(
        """select log_id, size, coalesce(packed_size, size), place from generations
        where pruned_at is null"""
    ):
        older[log_id].append(rest)
    for id, host, path, at, *own in archive.ledger.rows(sql):
        sizes, stored, found = zip(own, *older[id], strict=True)
        yield Old(id, host, path, len(found), sum(sizes), sum(stored), at, 0, found)


def _check(
    archive: Archive, database: Path, connection: sqlite3.Connection, skip: Iterable[str]
) -> None:
    """Refuse where the archive has what was not loaded."""
    if not db.current(database):
        raise SiphonError(f"{database} is of another siphon; `siphon load` first")
    stock = stale.Stock(archive.held(), archive.home)
    loaded = set(connection.execute("select host, path, generation, size from logs"))
    wanted = stale.jobs(stock, sources(), skip)
    waiting = [job for job in wanted if tuple(job.held[:4]) not in loaded]
    if waiting:
        raise SiphonError(
            f"{len(waiting)} archived logs are not loaded yet, so it is not known what they are read"
            " with; `siphon load` first"
        )


def _needed(connection: sqlite3.Connection, old: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the old logs that a kept one is read with, and those that these are read with …"""
    reads = _reads(connection)
    by_host: dict[str, list[str]] = defaultdict(list)
    for host, path in old:
        by_host[host].append(path)
    for paths in by_host.values():
        paths.sort()
    needed: set[tuple[str, str]] = set()
    waiting = [log for log in reads if log not in old]
    while waiting:
        host, path = waiting.pop()
        more = {(host, one) for one in _read_by(reads[host, path], by_host[host]) if one != path}
        waiting += [log for log in more - needed & old if log in reads]
        needed |= more & old
    return needed


def _reads(connection: sqlite3.Connection) -> Mapping[tuple[str, str], list[tuple[str, str, str]]]:
    rows = connection.execute("select host, path, reads from logs")
    return {(host, path): _READS.decode(reads) for host, path, reads in rows}


def _read_by(reads: Iterable[tuple[str, str, str]], among: Sequence[str]) -> Iterator[str]:
    """What was read, of the globs' matches those `among` sorted paths."""
    for kind, path, _ in reads:
        if kind == "glob":
            yield from _matching(path, among)
        else:  # a file, or lines of one
            yield path.partition("\n")[0]


def _matching(pattern: str, among: Sequence[str]) -> Iterator[str]:
    match, folder = compiled(pattern).fullmatch, fixed_folder(pattern)
    for path in among[bisect_left(among, folder) :]:
        if not path.startswith(folder):
            return
        if match(path):
            yield path


def _sessions(connection: sqlite3.Connection) -> Mapping[tuple[str, str], int]:
    sql = """select l.host, path, count(*) from sessions s join logs l on l.id = log_id
        where not hidden group by 1, 2"""
    return {(host, path): count for host, path, count in connection.execute(sql)}

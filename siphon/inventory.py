"""What an archive holds: by host, by log, and each log's history."""

import os
from typing import NamedTuple

from siphon import pathtext
from siphon.archive import Archive
from siphon.errors import SiphonError


class HostTotal(NamedTuple):
    """A host's logs in all. Times in ms."""

    host: str
    logs: int
    generations: int  # all that are held, current ones included
    bytes: int  # of those
    stored: int  # bytes they take here
    packed: int  # logs at rest
    gone: int  # logs no longer on the host
    pruned: int  # logs deleted here
    collected_at: int | None  # last success


class LogTotal(NamedTuple):
    """A log, with all its generations. Times in ms."""

    host: str
    path: str
    generation: int  # the current one
    size: int  # bytes, of that
    stored: int  # bytes it takes here
    mtime: int | None
    sha256: str
    generations: int  # held
    first_seen: int
    changed_at: int
    last_seen: int | None
    gone_at: int | None
    pruned_at: int | None


class Segment(NamedTuple):
    """A piece that arrived at once."""

    start: int  # bytes
    size: int
    sha256: str
    arrived_at: int  # ms


class Generation(NamedTuple):
    """A log from one rewriting to the next. Times in ms."""

    host: str
    path: str
    generation: int
    size: int  # bytes
    stored: int  # bytes it takes here
    mtime: int | None
    sha256: str
    began_at: int  # when its first bytes arrived
    replaced_at: int | None  # None: it is the current one
    pruned_at: int | None
    segments: tuple[Segment, ...]


# Every generation, the current one as the others; `began` is when it took the place of the one before.
GENERATIONS = """
    select id, host, path, generation, size, mtime, stamp, sha256, place, packed_size, pruned_at,
        null as replaced_at, first_seen, gone_at
    from logs
    union all
    select id, host, path, g.generation, g.size, g.mtime, g.stamp, g.sha256, g.place, g.packed_size,
        g.pruned_at, g.replaced_at, first_seen, gone_at
    from generations g join logs on id = log_id
"""
_STORED = "case when pruned_at is not null then 0 else coalesce(packed_size, size) end"


def hosts(archive: Archive) -> list[HostTotal]:
    """A line a host, by name."""
    sql = f"""select host, count(distinct case when pruned_at is null then id end),
            sum(pruned_at is null),
            sum(case when pruned_at is null then size else 0 end), sum({_STORED}),
            sum(pruned_at is null and replaced_at is null and place glob '.zst/*'),
            sum(pruned_at is null and replaced_at is null and gone_at is not null),
            sum(pruned_at is not null and replaced_at is null),
            (select collected_at from hosts where name = host)
        from ({GENERATIONS}) group by host order by host"""
    return [HostTotal(*row) for row in archive.ledger.rows(sql)]


def logs(archive: Archive, host: str) -> list[LogTotal]:
    """A host's logs by path, the pruned too."""
    sql = f"""select host, path, generation, size, {_STORED}, mtime, sha256,
            (pruned_at is null) + (select count(*) from generations where log_id = id and
                generations.pruned_at is null),
            first_seen, changed_at,
            case when gone_at is null then (select collected_at from hosts where name = host)
                else last_seen end,
            gone_at, pruned_at
        from logs where host = ? order by path"""
    return [LogTotal(*row) for row in archive.ledger.rows(sql, host)]


def generations(archive: Archive, host: str, path: str) -> list[Generation]:
    """A log's generations, oldest first, the pruned too."""
    sql = f"""select id, host, path, generation, size, {_STORED}, mtime, sha256, first_seen, replaced_at,
        pruned_at from ({GENERATIONS}) where host = ? and path = ? order by generation"""
    found: list[Generation] = []
    for id, *row, first_seen, replaced_at, pruned_at in archive.ledger.rows(sql, host, path):
        began = found[-1].replaced_at if found else None
        parts = tuple(_segments(archive, id, row[2]))
        times = (began or first_seen, replaced_at, pruned_at)
        found.append(Generation._make((*row, *times, parts)))
    return found


def _segments(archive: Archive, log_id: int, generation: int) -> list[Segment]:
    sql = """select start, size, sha256, arrived_at from segments
        where log_id = ? and generation = ? order by start"""
    return [Segment(*row) for row in archive.ledger.rows(sql, log_id, generation)]


def host_names(archive: Archive) -> list[str]:
    """The hosts of which something was collected."""
    if not archive.root.exists():
        raise SiphonError(f"{archive.root}: there is no archive yet; `siphon collect` makes it")
    rows = archive.ledger.rows("select distinct host from logs union select name from hosts order by 1")
    return [name for (name,) in rows]


def found(archive: Archive, argument: str) -> tuple[str, str]:
    """The host and path of HOST[/PATH] as a user writes it; "" for the whole home.

    A path may be written as it is, or as it is listed (`\\xff` for a byte that is no UTF-8). Raises
    SiphonError for an unknown host.
    """
    names = host_names(archive)
    plain = pathtext.text(os.fsencode(argument)).rstrip("/")
    fitting = [name for name in names if plain == name or plain.startswith(f"{name}/")]
    above = [name for name in names if name.startswith(f"{plain}/")]
    if not fitting and not above:
        known = f"known hosts: {', '.join(names)}" if names else "nothing is collected yet"
        raise SiphonError(f"no host of {argument!r} in the archive; {known}")
    if not fitting:
        return plain, ""
    host = max(fitting, key=len)
    path, listed = plain[len(host) + 1 :], argument[len(host) + 1 :]
    as_listed = listed != path and listed.isprintable() and archive.ledger.entry(host, listed)
    return host, listed if as_listed else path


def log_at(archive: Archive, argument: str) -> tuple[str, str]:
    """As `found`, of one log. Raises SiphonError where it is none."""
    host, path = found(archive, argument)
    if archive.ledger.entry(host, path) is None:
        raise SiphonError(f"no log {path!r} of {host} in the archive; `siphon archive list {host}`")
    return host, path

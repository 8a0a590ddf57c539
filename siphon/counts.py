"""Logs and sessions of each host and tool: each table is read once, by an index that holds all of it."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple


class Count(NamedTuple):
    """What is loaded of one tool on one host, or of several. Times are UTC ms."""

    host: str
    source: str
    logs: int = 0
    bytes: int = 0
    problems: int = 0  # parts of logs that could not be read
    failed_logs: int = 0  # that could not be loaded at all
    loaded_at: int | None = None
    sessions: int = 0
    last_activity_at: int | None = None


_LOGS = (
    "select host, source, count(*), sum(size), sum(problems), sum(error is not null), max(loaded_at)"
    " from logs group by host, source"
)
_SESSIONS = "select host, source, sum(not hidden), max(ended_at) from sessions group by host, source"


def counts(connection: sqlite3.Connection) -> list[Count]:
    """By host and tool."""
    found = {(row[0], row[1]): Count(*row) for row in connection.execute(_LOGS)}
    for host, source, sessions, last in connection.execute(_SESSIONS):
        one = found.get((host, source), Count(host, source))
        found[host, source] = one._replace(sessions=sessions, last_activity_at=last)
    return [found[key] for key in sorted(found)]


def by_host(found: Iterable[Count]) -> dict[str, Count]:
    """All tools of each host together."""
    sums: dict[str, Count] = {}
    for one in found:
        sums[one.host] = _and(sums.get(one.host), one)
    return sums


def by_source(found: Iterable[Count]) -> dict[str, Count]:
    """All hosts of each tool together, by the tools' names."""
    sums: dict[str, Count] = {}
    for one in found:
        sums[one.source] = _and(sums.get(one.source), one)
    return dict(sorted(sums.items()))


def _and(sum_: Count | None, one: Count) -> Count:
    if sum_ is None:
        return one
    return Count(
        host=one.host,
        source=one.source,
        logs=sum_.logs + one.logs,
        bytes=sum_.bytes + one.bytes,
        problems=sum_.problems + one.problems,
        failed_logs=sum_.failed_logs + one.failed_logs,
        loaded_at=_latest(sum_.loaded_at, one.loaded_at),
        sessions=sum_.sessions + one.sessions,
        last_activity_at=_latest(sum_.last_activity_at, one.last_activity_at),
    )


def _latest(one: int | None, other: int | None) -> int | None:
    return max((time for time in (one, other) if time is not None), default=None)

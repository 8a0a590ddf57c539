"""Which ids a search has to look at: ids follow time, so filters by day and session narrow them."""

import sqlite3

from siphon.auth_limits import is_limited
from siphon.query import DATES
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_MARGIN_MS = 60_000  # of a burst in one second, the ids run on into the next ones
_FEW = 1500  # sessions whose hours are looked up; more of them leave little out
_LAST = 2**62
_APART = 64  # spans that are looked through one by one; each look costs as much as some hundred hits

# Filters on a hit's session, as SQL.
OF_SESSION = {
    "host": "s.host in (select name from hosts where name = ? collate nocase)",
    "source": "s.source = ?",
    "project": "s.project_id in (select id from projects where name = ? collate nocase)",
    "repo": "s.git_repo = ?",
    "branch": "s.git_branch = ?",
}

Filters = tuple[tuple[str, str], ...]
Spans = list[tuple[int, int]]
"""First and last id of each, rising, none touching another."""


def spans(connection: sqlite3.Connection, table: str, filters: Filters) -> Spans:
    """Where rows of the table can lie that the filters let through."""
    low, high = _days(filters)
    sessions = [value for name, value in filters if name == "session"]
    if len(sessions) == 1:
        first, last = _session(connection, table, sessions[0])
        low, high = max(low, first), min(high, last)
    if low > high:
        return []
    hours = _hours(connection, filters)
    if hours is None:
        return [(low, high)]
    cut = ((max(low, first), min(high, last)) for first, last in _joined(hours))
    return [(first, last) for first, last in cut if first <= last]


def nearest(found: Spans, newest: bool) -> Spans:
    """The spans that are looked through first, and one that holds all others and what lies between."""
    if len(found) <= _APART:
        return found
    if newest:
        return [(found[0][0], found[-_APART - 1][1]), *found[-_APART:]]
    return [*found[:_APART], (found[_APART][0], found[-1][1])]


def _days(filters: Filters) -> tuple[int, int]:
    low, high = 0, _LAST
    for name, value in filters:
        if name in DATES:
            start = millis(value) or 0
            if name != "until":
                low = max(low, _id(start))
            if name != "since":
                high = min(high, _id(start + DAY_MS) - 1)
    return low, high


def _session(connection: sqlite3.Connection, table: str, uid: str) -> tuple[int, int]:
    row = connection.execute(
        f"select coalesce(min(id), 1), coalesce(max(id), 0) from {table}"
        " where session_id = (select id from sessions where uid = ?)",
        [uid],
    ).fetchone()
    return row[0], row[1]


def _hours(connection: sqlite3.Connection, filters: Filters) -> list[int] | None:
    """The hours in which the sessions asked for did anything, rising; None: they are not few."""
    names = [name for name in OF_SESSION if any(name == other for other, _ in filters)]
    if not names and not is_limited(connection):
        return None
    where, values = ["not s.hidden"], []
    for name in names:
        given = [value for other, value in filters if other == name]
        where.append(f"({' or '.join([OF_SESSION[name]] * len(given))})")
        values += given
    fitting = f"select s.id from sessions s where {' and '.join(where)} limit {_FEW + 1}"
    found = connection.execute(f"select count(*) from ({fitting})", values).fetchone()[0]
    if found > _FEW:
        return None
    sql = f"select distinct hour from activity_hours where session_id in ({fitting}) order by hour"
    return [row[0] for row in connection.execute(sql, values)]


def _joined(hours: list[int]) -> Spans:
    joined: Spans = []
    for hour in hours:
        # Without a time, rows count from the first id.
        start, end = (0, EPOCH + DAY_MS) if hour < 0 else (hour, hour + _HOUR_MS + _MARGIN_MS)
        first, last = _id(start), _id(end) - 1
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _id(ts: int) -> int:
    return max(0, ts - EPOCH) // 1000 << SLOTS

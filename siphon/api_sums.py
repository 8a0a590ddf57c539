"""JSON of sums: usage and activity from the hourly rollups, in the days of any time zone."""

import sqlite3
from datetime import date, timedelta
from typing import NamedTuple

from siphon import usage as usages
from siphon import zones
from siphon.api import Json, filters, rows, whole
from siphon.bulk import SESSION
from siphon.cursors import sealed, unfolded
from siphon.errors import SiphonError
from siphon.query import check_day
from siphon.urls import Arguments
from siphon.zones import Zone

PAGE = 1000
MOST = 10_000
PERIODS = ("hour", "day", "week", "month")
THINGS = {
    "model": "nullif(u.model, '')",
    "host": "s.host",
    "source": "s.source",
    "project": "p.name",
    "session": "s.uid",
}
_USED = (
    "requests", "unpriced_requests", "input_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip
_DONE = ("prompts", "replies", "tool_calls", "tool_errors")
_OWN = ("by", "timezone", "since", "until", "day", "limit", "offset", "fields")


def usage(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Requests, tokens and cost, summed by periods and by what was used."""
    sums = [f"coalesce(sum(u.{name}), 0) as {name}" for name in _USED]
    sums.append("sum(u.cost_nanousd) / 1e9 as cost_usd")
    known = {**SESSION, "model": "u.model = ?"}
    return _summed(connection, "usage", "usage_hours", sums, given, (*PERIODS, *THINGS), known)


def activity(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Prompts, replies and tool calls, summed by periods, hosts, tools, projects or sessions."""
    sums = [f"coalesce(sum(u.{name}), 0) as {name}" for name in _DONE]
    sums.append("count(distinct u.session_id) as sessions")
    by = (*PERIODS, *(name for name in THINGS if name != "model"))
    return _summed(connection, "activity", "activity_hours", sums, given, by, SESSION, "hour")


def _summed(
    connection: sqlite3.Connection,
    name: str,
    table: str,
    sums: list[str],
    given: Arguments,
    groups: tuple[str, ...],
    known: dict[str, str],
    usual: str = "day",
) -> Json:
    plain = dict(given := unfolded(given))
    by = _by(plain.get("by", usual), groups)
    zone = zones.zone(plain.get("timezone", "UTC"))
    limit = whole(plain, "limit", PAGE, 1, MOST)
    offset = whole(plain, "offset", 0, 0, 10**9)
    where, values = filters(given, known, _OWN)
    bounds, edges = _bounds(given, zone)
    keys = _keys(connection, by, zone)
    told = [f"{key.shown} as {key.name}" for key in keys]
    grouping = ", ".join(key.grouped for key in keys)
    source = _joined(table, f"{grouping} {where}")
    found = rows(
        connection,
        f"select {', '.join([*told, *sums])} from {source} where {where} and {bounds}"
        f"{f' group by {grouping} order by {grouping}' if by else ''} limit ? offset ?",
        [
            *(value for key in keys for value in key.values * key.times),
            *values,
            *edges,
            *(value for key in keys * 2 for value in key.values),
            limit + 1,
            offset,
        ],
    )
    return {
        "by": by,
        "timezone": zone.name,
        name: found[:limit],
        "next": sealed(offset + limit) if len(found) > limit else None,
    }


def _by(text: str, groups: tuple[str, ...]) -> list[str]:
    by = list(dict.fromkeys(one for one in text.split(",") if one))
    for name in by:
        if name not in groups:
            raise SiphonError(f"by={name!r} is unknown; known: {', '.join(groups)}")
    return by


class _Key(NamedTuple):
    """What rows are summed by: SQL to group and sort by, and what is shown of it, once a group."""

    name: str
    grouped: str
    shown: str
    values: list[int]  # parameters of `grouped`
    times: int = 1  # that they stand in `shown`


def _keys(connection: sqlite3.Connection, by: list[str], zone: Zone) -> list[_Key]:
    timed = any(name in PERIODS for name in by)
    day, shifts = usages.local_day(connection, zone) if timed else ("null", [])
    monday = f"(({day}) + 3) / 7 * 7 - 3"
    month = f"strftime('%Y-%m', ({day}) * 86400, 'unixepoch')"
    periods = {
        "hour": _Key("hour", "u.hour", "nullif(u.hour, -1)", []),
        "day": _Key("day", day, f"date(({day}) * 86400, 'unixepoch')", shifts),
        "week": _Key("week", monday, f"date(({monday}) * 86400, 'unixepoch')", shifts),
        "month": _Key("month", month, month, shifts),
    }
    things = {name: _Key(name, sql, sql, []) for name, sql in THINGS.items()}
    return [periods[name] if name in periods else things[name] for name in by]


def _joined(table: str, asked: str) -> str:
    """The table with what is asked of its sessions and their projects; each costs a look at each row."""
    found = f"{table} u"
    if "s." in asked or "p." in asked:
        found += " join sessions s on s.id = u.session_id"
    if "p." in asked:
        found += " left join projects p on p.id = s.project_id"
    return found


def _bounds(given: Arguments, zone: Zone) -> tuple[str, list[int]]:
    """From the hour on in which the first day begins there."""
    where, values = ["true"], []
    for name, value in given:
        if name in ("since", "until", "day"):
            day = date.fromisoformat(check_day(name, value))
            if name != "until":
                where.append("u.hour >= ?")
                values.append(zones.begin(day, zone))
            if name != "since":
                where.append("u.hour between 0 and ?")
                values.append(zones.begin(day + timedelta(days=1), zone) - 1)
    return " and ".join(where), values

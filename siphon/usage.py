"""Usage and cost by time or by what was used, from the hourly rollups: the tables of `siphon usage`."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from siphon import zones
from siphon.zones import Zone

TIMES = {"daily": "day", "weekly": "week", "monthly": "month"}
THINGS = {"model": "u.model", "project": "p.name", "host": "s.host", "source": "s.source"}
BY = (*TIMES, "session", "blocks", *THINGS)

_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()


class Asked(NamedTuple):
    """What to sum up; empty: all."""

    zone: Zone
    since: date | None = None
    until: date | None = None  # in it
    hosts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


class Sum(NamedTuple):
    """Requests and what they used; a cost is None where no price is known."""

    requests: int
    unpriced_requests: int
    incomplete_requests: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int  # 5 minutes
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int  # memo, inside output
    cost_nanousd: int | None
    reported_nanousd: int | None  # what tools state themselves

    @property
    def cost_usd(self) -> float | None:
        return None if self.cost_nanousd is None else self.cost_nanousd / 1e9

    @property
    def reported_usd(self) -> float | None:
        return None if self.reported_nanousd is None else self.reported_nanousd / 1e9

    @property
    def tokens(self) -> int:
        """All token classes together."""
        return sum(self[3:8])


NOTHING = Sum(0, 0, 0, 0, 0, 0, 0, 0, 0, None, None)


class Line(NamedTuple):
    """One line of a table, with its parts by model, the dearest first."""

    key: str | None  # day, week's Monday, month, session uid …; None: the logs do not say
    sum: Sum
    models: tuple[tuple[str | None, Sum], ...]


_SUMS = """
    sum(u.requests),
    sum(u.unpriced_requests),
    sum(u.incomplete_requests),
    sum(u.input_tokens),
    sum(u.cache_read_tokens),
    sum(u.cache_write_tokens),
    sum(u.cache_write_1h_tokens),
    sum(u.output_tokens),
    sum(u.reasoning_tokens),
    sum(u.cost_nanousd),
    sum(u.reported_nanousd)
"""

Part = tuple[Any, str | None, Sum]
"""Key, model, sum."""


def lines(connection: sqlite3.Connection, by: str, asked: Asked) -> list[Line]:
    """The table's lines: of times and sessions the oldest first, of things the dearest first."""
    if by in TIMES:
        return gathered(_by_time(connection, TIMES[by], asked))
    if by == "session":
        return sessions(connection, asked, session_ids(connection, asked))
    found = gathered(parts(connection, f"nullif({THINGS[by]}, '')", [], asked))
    return sorted(found, key=lambda line: -(line.sum.cost_nanousd or 0))


def all_of(
    connection: sqlite3.Connection, asked: Asked, timed: bool = False
) -> tuple[Sum, dict[str | None, int]]:
    """The sum of all, and model → requests whose cost it lacks. `timed`: without what has no time."""
    term, values = where(asked)
    if timed:
        term += " and +u.hour >= 0"  # not by its index, which leads to every row
    tables = _tables(term)
    (row,) = connection.execute(f"select {_SUMS} {tables} where {term}", values)
    unpriced = connection.execute(
        f"select nullif(u.model, ''), sum(u.unpriced_requests) {tables}"
        f" where u.unpriced_requests > 0 and {term} group by 1 order by 2 desc",
        values,
    )
    return (NOTHING if row[0] is None else Sum._make(row)), dict(unpriced.fetchall())


def _by_time(connection: sqlite3.Connection, period: str, asked: Asked) -> Iterator[Part]:
    day, values = local_day(connection, asked.zone, asked.since)
    for number, model, sum_ in sorted(
        parts(connection, day, values, asked), key=lambda part: (part[0] is None, part[0])
    ):
        at = None if number is None else zones.period(date.fromordinal(_EPOCH + number), period)
        yield at, model, sum_


def local_day(
    connection: sqlite3.Connection, at: Zone, since: date | None = None
) -> tuple[str, list[int]]:
    """SQL for the local day of `u.hour`, as days since 1970, and its parameters.

    Where the clocks change, the shift does. `since`: nothing before that day will be asked.
    """
    first, last = connection.execute(
        # Asked for together, they would be looked for in the whole index.
        "select (select min(hour) from usage_hours where hour >= 0), (select max(hour) from usage_hours)"
    ).fetchone()
    if first is None:
        return "null", []
    if since is not None:
        first = min(last, max(first, zones.begin(since, at)))
    changes = list(zones.shifts(first, last, at))
    offset = "?"
    values = [at.offset(last)]
    befores = [at.offset(first), *(shift for _, shift in changes)]
    for (when, _), before in zip(changes, befores, strict=False):
        values[-1:-1] = [when, before]
    if changes:
        offset = f"case {'when u.hour < ? then ? ' * len(changes)}else ? end"
    return f"case when u.hour >= 0 then (u.hour + {offset}) / {_DAY} end", values


def session_ids(connection: sqlite3.Connection, asked: Asked) -> list[int]:
    """Sessions with requests, by their end; those that do not say it first."""
    term, values = where(asked)
    rows = connection.execute(
        "select id from sessions where id in"
        f" (select u.session_id {_tables(term)} where {term}) order by ended_at, uid",
        values,
    )
    return [row[0] for row in rows]


def sessions(connection: sqlite3.Connection, asked: Asked, ids: Sequence[int]) -> list[Line]:
    """One line for each of these sessions, in their order."""
    uids = dict(connection.execute(f"select id, uid from sessions where id in {_LISTED}", [_list(ids)]))
    place = {session: number for number, session in enumerate(ids)}
    found = parts(connection, "u.session_id", [], asked, f"u.session_id in {_LISTED}", [_list(ids)])
    ordered = sorted(found, key=lambda part: place[part[0]])
    return gathered((uids[session], model, sum_) for session, model, sum_ in ordered)


def hours(connection: sqlite3.Connection, asked: Asked) -> dict[str, list[int]]:
    """Each tool's hours (UTC ms) that have requests, in order."""
    term, values = where(asked)
    # One text a tool is read ten times as fast as a row an hour.
    rows = connection.execute(
        "select source, group_concat(hour) from ("
        f" select distinct s.source, u.hour {_tables(f's. {term}')} where +u.hour >= 0 and {term}"
        ") group by source",
        values,
    )
    return {source: sorted(map(int, found.split(","))) for source, found in rows}


_LISTED = "(select value from json_each(?))"


def _list(ids: Sequence[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


def parts(
    connection: sqlite3.Connection,
    key: str,
    values: Sequence[Any],
    asked: Asked,
    also: str = "true",
    also_values: Sequence[Any] = (),
) -> Iterator[Part]:
    """The hours' sums by an SQL expression and by model; `also` narrows them."""
    term, more = where(asked)
    for row in connection.execute(
        f"select {key}, u.model, {_SUMS} {_tables(key + term + also)} where {term} and {also}"
        " group by 1, 2",
        [*values, *more, *also_values],
    ):
        yield row[0], row[1] or None, Sum._make(row[2:])


def _tables(sql: str) -> str:
    """Only those that are asked: joining a million rows in vain doubles the time."""
    joined = "from usage_hours u"
    if "s." in sql or "p." in sql:
        joined += " join sessions s on s.id = u.session_id"
    return joined + (" left join projects p on p.id = s.project_id" if "p." in sql else "")


def where(asked: Asked) -> tuple[str, list[Any]]:
    """SQL over the hours `u`, sessions `s` and projects `p`, and its parameters."""
    terms = ["true"]
    values: list[Any] = []
    for column, names in (
        ("s.host", asked.hosts),
        ("s.source", asked.sources),
        ("p.name", asked.projects),
        ("u.model", asked.models),
    ):
        if names:
            terms.append(f"{column} in ({', '.join('?' * len(names))})")
            values += names
    if asked.since is not None or asked.until is not None:
        terms.append("u.hour >= ?")
        values.append(0 if asked.since is None else zones.begin(asked.since, asked.zone))
    if asked.until is not None:
        terms.append("u.hour < ?")
        values.append(zones.begin(date.fromordinal(asked.until.toordinal() + 1), asked.zone))
    return " and ".join(terms), values


def gathered(of: Iterable[Part]) -> list[Line]:
    """One line a key, in the order of first sight."""
    found: dict[Any, dict[str | None, Sum]] = {}
    for key, model, sum_ in of:
        models = found.setdefault(key, {})
        models[model] = added([models[model], sum_]) if model in models else sum_
    return [
        Line(key, added(models.values()), tuple(sorted(models.items(), key=_dearest)))
        for key, models in found.items()
    ]


def _dearest(item: tuple[str | None, Sum]) -> tuple[int, int]:
    return -(item[1].cost_nanousd or 0), -item[1].tokens


def added(sums: Iterable[Sum]) -> Sum:
    """All together; a cost is None only if none is known."""
    sums = list(sums)
    if len(sums) < 2:
        return sums[0] if sums else NOTHING
    columns = list(zip(*sums, strict=True))
    return Sum(*map(sum, columns[:-2]), *map(_added, columns[-2:]))


def _added(column: Sequence[Any]) -> Any:
    known = [value for value in column if value is not None]
    return sum(known) if known else None

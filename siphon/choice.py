"""What a reader chose to see of the views, and its rows: days, hosts, tools, projects, a time zone."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from siphon import zones
from siphon.sources import sources
from siphon.sums import Row

_TIMES = ("hour", "started_at", "begin", "last_ts")  # a view's time, UTC ms


class Choice(NamedTuple):
    """What the reader chose to see; empty: all."""

    since: date
    until: date  # in it
    whole: bool  # all days that there are: rows without a time count, too
    hosts: tuple[str, ...]
    sources: tuple[str, ...]
    projects: tuple[str, ...]
    zone: zones.Zone


def within(chosen: Choice, period: str) -> Choice:
    """The choice, but of the days of a year or month."""
    year, _, month = period.partition("-")
    since = date(int(year), int(month or 1), 1)
    until = (
        date(since.year + (not month), since.month + 1 if month else 1, 1)
        if month != "12"
        else (date(since.year + 1, 1, 1))
    )
    return chosen._replace(since=since, until=until - timedelta(days=1), whole=False)


def rows(connection: sqlite3.Connection, view: str, chosen: Choice) -> list[Row]:
    """The view's rows that the reader chose, with the tool's title as `tool`.

    A view is narrowed by those of host, source, project and time that it has.
    """
    columns = [column[0] for column in connection.execute(f"select * from {view} limit 0").description]
    terms: list[tuple[str, Sequence[Any]]] = [
        (f"{column} in ({', '.join('?' * len(names))})", names)
        for column, names in (
            ("host", chosen.hosts),
            ("source", chosen.sources),
            ("project", chosen.projects),
        )
        if names and column in columns
    ]
    terms += _between(next((name for name in _TIMES if name in columns), None), chosen)
    where = " and ".join(term for term, _ in terms) or "true"
    found = connection.execute(
        f"select * from {view} where {where}", [value for _, values in terms for value in values]
    )
    return [
        _told(dict(zip(columns, row.values() if isinstance(row, dict) else row, strict=True)))
        for row in found
    ]


def _between(column: str | None, chosen: Choice) -> Iterator[tuple[str, Sequence[Any]]]:
    if column is None or chosen.whole:
        return
    since = zones.begin(chosen.since, chosen.zone)
    until = zones.begin(chosen.until + timedelta(days=1), chosen.zone)
    yield f"{column} >= ? and {column} < ?", (since, until)


def _told(row: Row) -> Row:
    return {**row, "tool": title(row["source"])} if "source" in row else row


def title(name: str) -> str:
    return sources()[name].title if name in sources() else name


def by_period(found: Sequence[Row], by: str, chosen: Choice) -> list[Row]:
    """Rows with an hour, and the `period` it lies in; those without a time are left out."""
    names = {
        hour: zones.period(zones.local(hour, chosen.zone).date(), by)
        for hour in {row["hour"] for row in found}
        if hour is not None
    }
    return [{**row, "period": names[row["hour"]]} for row in found if row["hour"] is not None]


def fitting(chosen: Choice) -> str:
    """The period that gives a chart a readable number of bars."""
    days = (chosen.until - chosen.since).days
    return "day" if days <= 100 else "week" if days <= 730 else "month"


def streak(days: Sequence[str]) -> int:
    """The most days in a row; they are ISO and in order."""
    longest = run = 0
    before = None
    for day in map(date.fromisoformat, days):
        run = run + 1 if before is not None and day - before == timedelta(days=1) else 1
        longest, before = max(longest, run), day
    return longest


def told(chosen: Choice) -> str:
    """The choice in words, for below a title."""
    days = " – ".join(f"{day.day} {day:%b %Y}" for day in (chosen.since, chosen.until))
    tools = map(title, chosen.sources)
    return " · ".join([days, *chosen.hosts, *tools, *chosen.projects, f"times in {chosen.zone.name}"])

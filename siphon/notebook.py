"""What the notebooks share: where the database is, what the reader chose to see, and links back."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import marimo as mo

from siphon import db, zones
from siphon.config import load_config
from siphon.errors import SiphonError
from siphon.figures import one_line
from siphon.sources import sources
from siphon.sums import Row
from siphon.urls import session_url

WEEKS = 12  # that a notebook shows at first
HERE = "this machine"  # its time zone's name in the list
_MARKS = re.compile(r"[\\`*_{}\[\]()#+.!|~$-]")
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


def database(argument: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """What is served, else `--database`, else $SIPHON_DATABASE, else what siphon.yml says."""
    given = _served("database", argument or environ.get("SIPHON_DATABASE") or "")
    return cwd / given if given else load_config(None, environ, cwd).database


def opened(path: Path) -> sqlite3.Connection:
    """The database; where there is none, the notebook ends with what to do about it."""
    try:
        connection = db.connect(path)
    except SiphonError as error:
        if mo.app_meta().mode == "script":
            raise
        mo.stop(True, mo.callout(mo.md(f"**Nothing to show.** {error}"), kind="warn"))
    connection.row_factory = _row
    return connection


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


# --- what to see ---


def controls(connection: sqlite3.Connection) -> Any:
    """Filters for the reader: dates, hosts, tools, projects, time zone."""
    first, last = _span(connection)
    titles = {_title(name): name for name in _distinct(connection, "sessions", "source")}
    zone_names = {HERE: None} | {name: name for name in zones.names()}
    return mo.ui.dictionary(
        {
            "dates": mo.ui.date_range(
                start=first,
                stop=last,
                value=(max(first, last - timedelta(weeks=WEEKS)), last),
                label="Days",
            ),
            "hosts": mo.ui.multiselect(_distinct(connection, "sessions", "host"), label="Hosts"),
            "sources": mo.ui.multiselect(titles, label="Tools"),
            "projects": mo.ui.multiselect(_distinct(connection, "projects", "name"), label="Projects"),
            "zone": mo.ui.dropdown(zone_names, value=HERE, searchable=True, label="Time zone"),
        }
    )


def bar(widgets: Any, *more: Any, without: Sequence[str] = ()) -> Any:
    """The filters in a row."""
    shown = [widget for name, widget in widgets.elements.items() if name not in without]
    return mo.hstack([*shown, *more], justify="start", align="end", gap=1, wrap=True)


def choice(connection: sqlite3.Connection, values: Mapping[str, Any]) -> Choice:
    """What the filters' values mean."""
    since, until = values["dates"]
    return Choice(
        since=since,
        until=until,
        whole=(since, until) == _span(connection),
        hosts=tuple(values["hosts"]),
        sources=tuple(values["sources"]),
        projects=tuple(values["projects"]),
        zone=zones.zone(values["zone"]),
    )


def months(connection: sqlite3.Connection) -> list[str]:
    """The years and months that anything happened in, the newest first: 2026, 2026-11, 2026-10 …"""
    first, last = _span(connection)
    found = set(zones.periods(first, last, "month"))
    return sorted(found | {name[:4] for name in found}, key=lambda name: (name[:4], name), reverse=True)


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


def _span(connection: sqlite3.Connection) -> tuple[date, date]:
    """The first and the last day that anything happened on, with a day to spare for other zones."""
    row = connection.execute("select min(started_at) a, max(ended_at) b from sessions").fetchone()
    if row["a"] is None or row["b"] is None:
        return date(2026, 1, 1), date(2026, 1, 1)
    here = zones.zone(None)
    return zones.local(row["a"], here).date(), zones.local(row["b"], here).date()


def _distinct(connection: sqlite3.Connection, table: str, column: str) -> list[str]:
    found = connection.execute(f"select distinct {column} as it from {table} order by 1")
    return [row["it"] for row in found]


# --- reading ---


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
    return [_told(row) for row in found]


def _between(column: str | None, chosen: Choice) -> Iterator[tuple[str, Sequence[Any]]]:
    if column is None or chosen.whole:
        return
    since = zones.begin(chosen.since, chosen.zone)
    until = zones.begin(chosen.until + timedelta(days=1), chosen.zone)
    yield f"{column} >= ? and {column} < ?", (since, until)


def _told(row: Row) -> Row:
    return {**row, "tool": _title(row["source"])} if "source" in row else row


def _title(name: str) -> str:
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


# --- words ---


def told(chosen: Choice) -> str:
    """The choice in words, for below a title."""
    days = " – ".join(f"{day.day} {day:%b %Y}" for day in (chosen.since, chosen.until))
    tools = map(_title, chosen.sources)
    return " · ".join([days, *chosen.hosts, *tools, *chosen.projects, f"times in {chosen.zone.name}"])


def link(title: str, uid: str, site: str) -> Any:
    """The title, leading to the session's page."""
    place, text = escape(site + session_url(uid)), escape(one_line(title, 80))
    return mo.Html(f'<a href="{place}" style="color: #0f7d6d">{text}</a>')


def plain(text: str) -> str:
    """Text of a log for mo.md, which would take it for Markdown and HTML."""
    return escape(_MARKS.sub(r"\\\g<0>", " ".join(text.split())))


def stats(*shown: tuple[str, str, str]) -> Any:
    """A row of large figures: (figure, what it is, small print)."""
    tiles = [
        mo.stat(value, label=label, caption=caption, bordered=True) for value, label, caption in shown
    ]
    return mo.hstack(tiles, widths="equal", gap=1)


def table(found: Sequence[Row], **more: Any) -> Any:
    """Rows to read: no selection, no types in the head."""
    return mo.ui.table(
        list(found),
        selection=None,
        page_size=12,
        show_data_types=False,
        show_column_summaries=False,
        **more,
    )


def site(argument: str | None) -> str:
    """Where the session pages are: here if siphon serves this notebook, else on its usual port."""
    return argument.rstrip("/") if argument else _served("site", "http://127.0.0.1:8001")


def _served(name: str, otherwise: str) -> str:
    """What the server that runs the notebook says."""
    request = mo.app_meta().request
    return str(request.meta.get(name, otherwise)) if request is not None else otherwise


def path_of(arguments: Mapping[str, Any], name: str) -> str | None:
    """A command line argument that is text."""
    value = arguments.get(name)
    return value if isinstance(value, str) else None

"""What the notebooks share: where the database is, what the reader chose to see, and links back."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import marimo as mo

from siphon import db, zones
from siphon.choice import Choice, by_period, fitting, rows, streak, title, told, within
from siphon.config import load_config
from siphon.errors import SiphonError
from siphon.figures import one_line, plural
from siphon.sums import Row, grouped
from siphon.urls import session_url

# What the notebooks find here.
__all__ = [
    "Choice", "bar", "by_period", "choice", "controls", "database", "fitting", "left_out", "link",
    "months", "opened", "path_of", "plain", "rows", "site", "stats", "streak", "table", "told", "within",
]  # fmt: skip

WEEKS = 12  # that a notebook shows at first
HERE = "this machine"  # its time zone's name in the list
_MARKS = re.compile(r"[\\`*_{}\[\]()#+.!|~$-]")


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
    titles = {title(name): name for name in _distinct(connection, "sessions", "source")}
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


# --- words ---


def link(title: str, uid: str, site: str) -> Any:
    """The title, leading to the session's page."""
    place, text = escape(site + session_url(uid)), escape(one_line(title, 80))
    return mo.Html(f'<a href="{place}" style="color: light-dark(#0b6b5d, #63cdb9)">{text}</a>')


def left_out(usage: Sequence[Row]) -> str:
    """Which models' requests no sum holds, for mo.md; rows of cost_by_hour."""
    missing = [row for row in usage if row["unpriced_requests"]]
    if not missing:
        return "Every request in this selection has a price."
    models = ", ".join(
        f"{plain(row['model'] or 'no model told')}"
        f" ({row['tool']}, {plural(row['unpriced_requests'], 'request')})"
        for row in grouped(missing, ["model", "tool"], ["unpriced_requests"])
    )
    return f"**Left out of every sum above**, as no price is known: {models}."


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

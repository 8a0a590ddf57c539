"""/-/usage and /-/report: what a page's query asks of usage and reports, and their answers."""

import sqlite3
from datetime import date, timedelta
from typing import NamedTuple

from siphon import usage, zones
from siphon.choice import Choice
from siphon.errors import SiphonError
from siphon.report import KINDS, Report, written
from siphon.urls import Arguments
from siphon.usage import Asked
from siphon.usage_rows import Table, table_of

BY = tuple(name for name in usage.BY if name not in ("session", "blocks"))
FILTERS = ("host", "source", "project", "model")
FORMS = {  # of a report: the file's ending, and its media type
    "html": (".html", "text/html"),
    "md": (".md", "text/markdown"),
    "mail": (".txt", "text/plain"),
    "csv": (".csv", "text/csv"),
}
_DAYS = 30


class Question(NamedTuple):
    """What a query asks; days are those of the zone, both ends in it."""

    by: str
    asked: Asked
    since: date
    until: date


def question(given: Arguments, ts: int) -> Question:
    """Read a query; `ts` is now (UTC ms). Raises SiphonError naming what is wrong."""
    plain = dict(given)
    for name in plain:
        if name not in (*FILTERS, "by", "since", "until", "timezone", "kind", "form"):
            raise SiphonError(
                f"{name!r} is unknown here; known: by, since, until, timezone, {', '.join(FILTERS)}"
            )
    by = plain.get("by", "daily")
    if by not in BY:
        raise SiphonError(f"by={by!r} is unknown; known: {', '.join(BY)}")
    zone = zones.zone(plain.get("timezone"))
    until = _day(plain, "until") or zones.local(ts, zone).date()
    since = _day(plain, "since") or until - timedelta(days=_DAYS - 1)
    if since > until:
        raise SiphonError(f"since={since} is after until={until}; give them the other way round")
    hosts, sources, projects, models = (
        tuple(value for key, value in given if key == name) for name in FILTERS
    )
    return Question(by, Asked(zone, since, until, hosts, sources, projects, models), since, until)


def _day(plain: dict[str, str], name: str) -> date | None:
    text = plain.get(name)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SiphonError(f"{name}={text!r} is no day; write it as 2026-01-31") from None


def table(connection: sqlite3.Connection, asked: Question, ts: int) -> Table:
    """The lines of the page, the newest first where they are times."""
    found = table_of(connection, asked.by, asked.asked, ts)
    return found._replace(rows=found.rows[::-1]) if asked.by in usage.TIMES else found


class Wanted(NamedTuple):
    """A report that a query asks for."""

    kind: str
    form: str  # of FORMS
    chosen: Choice

    @property
    def name(self) -> str:
        """Of the file."""
        days = f"{self.chosen.since}-{self.chosen.until}"
        return f"siphon-{self.kind}-{days}{FORMS[self.form][0]}"


def wanted(given: Arguments, ts: int) -> Wanted:
    """Read a query; `ts` is now (UTC ms). Raises SiphonError naming what is wrong."""
    plain = dict(given)
    kind, form = plain.get("kind", "cost"), plain.get("form", "html")
    if kind not in KINDS or form not in FORMS:
        raise SiphonError(
            f"no such report; kind is one of {', '.join(KINDS)}, form of {', '.join(FORMS)}"
        )
    found = question([pair for pair in given if pair[0] not in ("kind", "form", "by", "model")], ts)
    asked = found.asked
    places = (asked.hosts, asked.sources, asked.projects)
    return Wanted(kind, form, Choice(found.since, found.until, False, *places, asked.zone))


def text(made: Report, form: str) -> str:
    """The report in a form of FORMS."""
    return written(made, form if form == "mail" else f".{form}")

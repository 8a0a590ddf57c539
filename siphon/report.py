"""Reports to send: what they hold, whichever form they are written in (HTML, Markdown, CSV)."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from siphon.choice import Choice
from siphon.sums import Row


class Tile(NamedTuple):
    """One large figure."""

    figure: str
    label: str


class Table(NamedTuple):
    """Rows to read; the first `words` columns are words, the others figures."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


class Bars(NamedTuple):
    """A chart's sums by period, for forms that have no pictures."""

    names: Sequence[str]
    values: Sequence[float]
    form: Callable[[float], str]


class Section(NamedTuple):
    """A part with its own title. `chart` is an Altair chart; `bars` say the same in words."""

    title: str
    chart: Any = None
    bars: Bars | None = None
    table: Table | None = None
    height: int = 220  # pixels of the chart


class Report(NamedTuple):
    """A report."""

    kind: str
    title: str
    subtitle: str  # days, hosts, tools, projects, time zone
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    notes: Sequence[str]  # what is counted, what is not
    data: Sequence[Mapping[str, object]]  # the finest rows, for CSV


Rows = Callable[[str], list[Row]]
"""A view's name → its rows that were chosen."""


def build(connection: sqlite3.Connection, kind: str, chosen: Choice) -> Report:
    """The report of a kind: cost, activity or team."""
    from siphon import report_activity, report_cost, report_team
    from siphon.choice import rows, told

    make = {
        "cost": report_cost.report,
        "activity": report_activity.report,
        "team": report_team.report,
    }[kind]
    return make(lambda view: rows(connection, view, chosen), chosen, told(chosen))


KINDS = ("cost", "activity", "team")


def written(made: Report, form: str) -> str:
    """The report as .html, .md, .csv, or Markdown for a "mail"."""
    # The charts' renderer takes long to load, and most who come this way want no pictures.
    if form == ".html":
        from siphon.report_html import html

        return html(made)
    from siphon.report_text import as_csv, markdown

    return as_csv(made) if form == ".csv" else markdown(made, mail=form == "mail")


def warm() -> None:
    """Load what charts are made with: seconds, in which nobody should wait with a database open."""
    import siphon.report_activity
    import siphon.report_cost
    import siphon.report_html
    import siphon.report_team  # noqa: F401

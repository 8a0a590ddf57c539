"""The report on activity: time at work, by day and by hour of the week, and what it went into."""

from collections.abc import Sequence

from siphon import charts, figures, zones
from siphon.choice import Choice, by_period, fitting
from siphon.report import Bars, Report, Rows, Section, Table, Tile
from siphon.sums import Row, folded, grouped, total

_HOUR = 3_600_000
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOTES = (
    "What is counted: time at work is the sum of the gaps of at most ten minutes between a session's"
    " records; sessions that ran at once each count, but for busy time, which counts the clock's minutes"
    " once. Prompts are what people typed. Copies of resumed and forked sessions are left out.",
    "Files and lines are those that agents changed, of files last touched in these days.",
    "What is not: work that leaves no record, and reading and thinking for more than ten minutes.",
)


def report(rows: Rows, chosen: Choice, subtitle: str) -> Report:
    active, acts, sessions = rows("active_time"), rows("activity_by_hour"), rows("session_shapes")
    sections = [
        hours_at_work(active, chosen, "tool", "Hours at work per {}"),
        _week(active, chosen),
        _ranking(active, "project", "Time at work by project"),
        _ranking(active, "host", "Time at work by machine"),
        _shapes(sessions),
        _tools(rows("tools_by_hour")),
        _languages(rows("files")),
        _longest(sessions),
    ]
    return Report(
        kind="activity",
        title="What was done",
        subtitle=subtitle,
        tiles=_tiles(active, acts, sessions, rows("busy_time"), _narrowed(chosen)),
        sections=[section for section in sections if section.table is None or section.table.rows],
        notes=NOTES,
        data=_data(active, acts, chosen),
    )


def _narrowed(chosen: Choice) -> bool:
    return bool(chosen.hosts or chosen.sources or chosen.projects)


def _tiles(
    active: Sequence[Row],
    acts: Sequence[Row],
    sessions: Sequence[Row],
    busy: Sequence[Row],
    narrowed: bool,
) -> list[Tile]:
    # The clock's time is of all that ran: it cannot be told apart by host, tool or project.
    clock = [] if narrowed else [Tile(_hours(total(busy, "busy_ms")), "busy on the clock")]
    return [
        Tile(figures.count(sum(row["shape"] != "automated" for row in sessions)), "sessions of people"),
        Tile(figures.count(sum(row["shape"] == "automated" for row in sessions)), "automated"),
        Tile(_hours(total(active, "active_ms")), "at work"),
        *clock,
        Tile(figures.count(total(acts, "prompts") or 0), "prompts typed"),
        Tile(figures.count(total(acts, "tool_calls") or 0), "tool calls"),
    ]


def _hours(milliseconds: float | None) -> str:
    return f"{(milliseconds or 0) / _HOUR:,.1f} h"


def hours_at_work(active: Sequence[Row], chosen: Choice, key: str, title: str) -> Section:
    """Hours by day, week or month, stacked by `key`; in `title`, {} is which of these."""
    by = fitting(chosen)
    timed = [{**row, "hours": (row["active_ms"] or 0) / _HOUR} for row in by_period(active, by, chosen)]
    periods = zones.periods(chosen.since, chosen.until, by)
    series = grouped(folded(timed, key, "hours", charts.SERIES, "not told"), ["period", key], ["hours"])
    chart = charts.stacked(series, "period", "hours", key, form=",.1f", periods=periods)
    sums = {row["period"]: row["hours"] or 0 for row in grouped(timed, ["period"], ["hours"])}
    values = [sums.get(name, 0) for name in periods]
    return Section(title.format(by), chart, Bars(periods, values, lambda hours: f"{hours:.1f} h"))


def _week(active: Sequence[Row], chosen: Choice) -> Section:
    clocks = {row["hour"]: zones.local(row["hour"], chosen.zone) for row in active}
    cells = [
        {
            "weekday": _WEEKDAYS[clocks[row["hour"]].weekday()],
            "clock": clocks[row["hour"]].hour,
            "minutes": (row["active_ms"] or 0) / 60_000,
        }
        for row in active
    ]
    sums = grouped(cells, ["weekday", "clock"], ["minutes"])
    by_day = {row["weekday"]: row["minutes"] for row in grouped(cells, ["weekday"], ["minutes"])}
    values = [by_day.get(day, 0) / 60 for day in _WEEKDAYS]
    bars = Bars(_WEEKDAYS, values, lambda hours: f"{hours:.1f} h")
    return Section("When in the week", charts.week(sums, "minutes"), bars, height=190)


def _ranking(active: Sequence[Row], key: str, title: str) -> Section:
    found = grouped(folded(active, key, "active_ms", 15, "not told"), [key], ["active_ms"])
    found.sort(key=lambda row: -(row["active_ms"] or 0))
    whole = total(found, "active_ms") or 1
    lines = [
        (str(row[key]), _hours(row["active_ms"]), f"{(row['active_ms'] or 0) / whole:.0%}")
        for row in found
    ]
    return Section(
        title, table=Table((title.rpartition(" ")[2].capitalize(), "At work", "Share"), lines)
    )


def _shapes(sessions: Sequence[Row]) -> Section:
    order = ("quick", "standard", "deep", "marathon", "automated")
    counted = [{**row, "sessions": 1} for row in sessions]
    found = {
        row["shape"]: row for row in grouped(counted, ["shape"], ["sessions", "active_ms", "prompts"])
    }
    lines = [
        (
            name,
            figures.count(found[name]["sessions"]),
            _hours(found[name]["active_ms"]),
            figures.count(found[name]["prompts"] or 0),
        )
        for name in order
        if name in found
    ]
    title = (
        "Sessions by shape: quick below 5 minutes, standard below 30, deep below 2 hours, marathon above"
    )
    return Section(title, table=Table(("Shape", "Sessions", "At work", "Prompts"), lines))


def _tools(calls: Sequence[Row]) -> Section:
    sums = grouped(calls, ["name"], ["calls", "errors", "rejections"])
    found = sorted(sums, key=lambda row: -row["calls"])[:15]
    lines = [
        (
            row["name"],
            figures.count(row["calls"]),
            f"{row['errors'] / row['calls']:.1%}",
            figures.count(row["rejections"]),
        )
        for row in found
    ]
    return Section("Tools that agents used", table=Table(("Tool", "Calls", "Failed", "Refused"), lines))


def _languages(files: Sequence[Row]) -> Section:
    edited = [{**row, "files": 1} for row in files if row["edits"]]
    sums = grouped(edited, ["language"], ["files", "edits", "lines_added", "lines_removed"])
    found = sorted(sums, key=lambda row: -row["edits"])[:12]
    lines = [
        (
            row["language"] or "other",
            figures.count(row["files"]),
            figures.count(row["edits"]),
            f"+{figures.count(row['lines_added'] or 0)} −{figures.count(row['lines_removed'] or 0)}",
        )
        for row in found
    ]
    return Section("Languages by edits", table=Table(("Language", "Files", "Edits", "Lines"), lines))


def _longest(sessions: Sequence[Row]) -> Section:
    known = [row for row in sessions if row["active_ms"] and row["shape"] != "automated"]
    found = sorted(known, key=lambda row: -row["active_ms"])[:15]
    lines = [
        (
            figures.one_line(row["title"], 60),
            row["host"],
            row["tool"],
            row["project"] or "–",
            figures.duration(row["active_ms"]),
        )
        for row in found
    ]
    heads = ("Session", "Machine", "Tool", "Project", "At work")
    return Section("The longest sessions", table=Table(heads, lines, 4))


def _data(active: Sequence[Row], acts: Sequence[Row], chosen: Choice) -> list[Row]:
    keys = ["day", "host", "source", "project"]
    sums = ("active_ms", "prompts", "replies", "tool_calls", "tool_errors")
    blank = dict.fromkeys(sums)
    rows = [
        {**blank, **row, "day": zones.local(row["hour"], chosen.zone).date().isoformat()}
        for row in (*active, *acts)
        if row["hour"] is not None
    ]
    return sorted(grouped(rows, keys, sums), key=lambda row: [str(row[key] or "") for key in keys])

"""The report on a team: machines side by side, and who works on what from where."""

from collections.abc import Sequence

from siphon import figures
from siphon.choice import Choice
from siphon.report import Report, Rows, Section, Table, Tile
from siphon.report_activity import NOTES, hours_at_work
from siphon.report_cost import TOKENS, notes
from siphon.sums import Row, folded, grouped, total

_HOUR = 3_600_000
_SUMS = (
    "sessions", "automated", "active_ms", "prompts", "tool_calls", "requests", *TOKENS, "cost_usd",
    "unpriced_requests", "lines_added", "lines_removed",
)  # fmt: skip


def report(rows: Rows, chosen: Choice, subtitle: str) -> Report:
    active, usage = rows("active_time"), rows("cost_by_hour")
    facts = _facts(active, usage, rows("activity_by_hour"), rows("session_shapes"), rows("files"))
    sections = [
        hours_at_work(active, chosen, "host", "Hours at work per {}, by machine"),
        _table(facts, "host", "Machines side by side"),
        _table(facts, "tool", "Tools side by side"),
        _matrix(active),
    ]
    return Report(
        kind="team",
        title="Who did what, and where",
        subtitle=subtitle,
        tiles=_tiles(facts),
        sections=[section for section in sections if section.table is None or section.table.rows],
        notes=[
            "A machine is a host of siphon: a person's computer, or one home directory on a shared one.",
            *NOTES,
            *notes(usage)[2:],
        ],
        data=_data(facts),
    )


def _facts(
    active: Sequence[Row],
    usage: Sequence[Row],
    acts: Sequence[Row],
    sessions: Sequence[Row],
    files: Sequence[Row],
) -> list[Row]:
    """Rows of all views with all of _SUMS: each has what its view knows, and None for the rest."""
    blank = dict.fromkeys(_SUMS)
    shown = [
        {
            "sessions": int(row["shape"] != "automated"),
            "automated": int(row["shape"] == "automated"),
            **_place(row),
        }
        for row in sessions
    ]
    worked = [{"active_ms": row["active_ms"], **_place(row)} for row in active]
    typed = [{**{name: row[name] for name in ("prompts", "tool_calls")}, **_place(row)} for row in acts]
    edited = [
        {**{name: row[name] for name in _SUMS[-2:]}, **_place(row)} for row in files if row["edits"]
    ]
    billed = [{**{name: row[name] for name in _SUMS if name in row}, **_place(row)} for row in usage]
    return [{**blank, **row} for row in (*shown, *worked, *typed, *edited, *billed)]


def _place(row: Row) -> Row:
    return {name: row[name] for name in ("host", "source", "tool", "project")}


def _tiles(facts: Sequence[Row]) -> list[Tile]:
    return [
        Tile(figures.count(len({row["host"] for row in facts})), "machines"),
        Tile(figures.count(len({row["source"] for row in facts})), "tools"),
        Tile(figures.count(len({row["project"] for row in facts if row["project"]})), "projects"),
        Tile(f"{(total(facts, 'active_ms') or 0) / _HOUR:,.1f} h", "at work"),
        Tile(figures.count(total(facts, "prompts") or 0), "prompts typed"),
        Tile(figures.usd(total(facts, "cost_usd")), "at API prices"),
    ]


def _table(facts: Sequence[Row], key: str, title: str) -> Section:
    found = sorted(grouped(facts, [key], _SUMS), key=lambda row: -(row["active_ms"] or 0))
    lines = [
        (
            str(row[key]),
            figures.count(row["sessions"] or 0),
            figures.count(row["automated"] or 0),
            f"{(row['active_ms'] or 0) / _HOUR:,.1f} h",
            figures.count(row["prompts"] or 0),
            figures.count(row["tool_calls"] or 0),
            f"+{figures.count(row['lines_added'] or 0)} −{figures.count(row['lines_removed'] or 0)}",
            figures.usd(row["cost_usd"]) + ("*" if row["unpriced_requests"] else ""),
        )
        for row in found
    ]
    name = {"host": "Machine", "tool": "Tool"}[key]
    heads = (name, "Sessions", "Automated", "At work", "Prompts", "Calls", "Lines", "Cost")
    return Section(title, table=Table(heads, lines))


def _matrix(active: Sequence[Row]) -> Section:
    """Hours at work of each project on each machine."""
    rows = folded(active, "project", "active_ms", 15, "not told")
    rows = folded(rows, "host", "active_ms", 6, "not told")
    sums = {
        (row["project"], row["host"]): row["active_ms"] or 0
        for row in grouped(rows, ["project", "host"], ["active_ms"])
    }
    hosts = list(dict.fromkeys(host for _, host in sums))
    projects = sorted(
        {project for project, _ in sums},
        key=lambda one: -sum(sums.get((one, host), 0) for host in hosts),
    )
    lines = [(one, *(_cell(sums.get((one, host))) for host in hosts)) for one in projects]
    return Section("Hours at work, project by machine", table=Table(("Project", *hosts), lines))


def _cell(milliseconds: int | None) -> str:
    return f"{milliseconds / _HOUR:,.1f}" if milliseconds else ""


def _data(facts: Sequence[Row]) -> list[Row]:
    keys = ["host", "source", "project"]
    return sorted(grouped(facts, keys, _SUMS), key=lambda row: [str(row[key] or "") for key in keys])

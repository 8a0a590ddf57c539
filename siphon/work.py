"""What was worked on and with what: files edited last, and tools by how often and how well."""

import sqlite3
from typing import Any, NamedTuple

from siphon.errors import SiphonError
from siphon.query import check_day
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis
from siphon.urls import Arguments

DAY_MS = 86_400_000
CALLS = 30_000  # newest calls that tools are told from
EDITS = 3000  # newest edits that files are listed from
PERIODS = {"7": "7 days", "30": "30 days", "365": "a year", "all": "all time"}
USUAL = "30"


class Edited(NamedTuple):
    """A file, and the newest of its edits that were looked at."""

    path: str
    project: str | None
    host: str
    edits: int
    lines_added: int
    lines_removed: int
    sessions: int
    ts: int | None  # of the last edit, UTC ms
    session: str  # uid
    seq: int
    title: str | None


class Used(NamedTuple):
    """A tool, an MCP server or a shell command; times in ms."""

    name: str
    kind: str
    calls: int
    errors: int
    refused: int  # rejected or interrupted
    sessions: int
    mean_ms: int | None  # of those whose duration is known
    slowest_ms: int | None
    output_bytes: int


class Tools(NamedTuple):
    """Tools of a period. `since`: UTC ms, None for all time; `cut`: only its newest CALLS."""

    since: int | None
    cut: bool
    tools: list[Used]
    servers: list[Used]
    commands: list[Used]


def files_edited(connection: sqlite3.Connection, given: Arguments, limit: int = 200) -> list[Edited]:
    """Files by their last edit, newest first, of the newest EDITS edits."""
    plain = dict(given)
    for name in plain:
        if name not in ("host", "project", "path"):
            raise SiphonError(f"{name!r} is unknown here; known: host, project, path")
    where, values = ["1"], []
    for name, column in (("host", "s.host = ?"), ("project", "p.name = ?")):
        if name in plain:
            where.append(column)
            values.append(plain[name])
    if "path" in plain:
        where.append("instr(f.path, ?) > 0")
        values.append(plain["path"])
    # With max(), SQLite takes the other columns from the row that has it.
    rows = connection.execute(
        "select f.path, p.name, s.host, count(*), coalesce(sum(f.lines_added), 0),"
        " coalesce(sum(f.lines_removed), 0), count(distinct c.session_id), c.ts, s.uid, c.seq, s.title,"
        " max(c.id)"
        " from (select id, session_id, ts, seq from tool_calls where kind in ('edit', 'write')"
        f" and copy_of is null order by id desc limit {EDITS}) c"
        " cross join file_touches f on f.tool_call_id = c.id"
        " join sessions s on s.id = c.session_id left join projects p on p.id = s.project_id"
        f" where f.action in ('edit', 'write', 'delete') and {' and '.join(where)}"
        " group by s.host, f.path order by 12 desc limit ?",
        [*values, limit],
    )
    return [Edited(*row[:11]) for row in rows]


def tools_used(connection: sqlite3.Connection, given: Arguments, now: int) -> Tools:
    """Tools, MCP servers and shell commands of the days before `now`, or since the last activity."""
    plain = dict(given)
    period = plain.get("days", USUAL)
    for name in plain:
        if name not in ("host", "project", "source", "days", "since"):
            raise SiphonError(f"{name!r} is unknown here; known: host, project, source, days, since")
    if period not in PERIODS:
        raise SiphonError(f"days={period!r} is unknown; known: {', '.join(PERIODS)}")
    since = _since(connection, plain, period, now)
    where, values = ["c.copy_of is null", "c.id >= ?"], [_first_id(since)]
    for name, column in (("host", "s.host = ?"), ("project", "p.name = ?"), ("source", "s.source = ?")):
        if name in plain:
            where.append(column)
            values.append(plain[name])
    newest = connection.execute(
        f"select count(*), min(id) from (select id from tool_calls where id >= ? order by id desc"
        f" limit {CALLS})",
        [values[0]],
    ).fetchone()
    values[0] = newest[1] or values[0]
    return Tools(
        since=since,
        cut=newest[0] == CALLS,
        tools=_used(connection, "c.name", where, values),
        servers=_used(connection, _SERVER, [*where, "c.name glob 'mcp__*'"], values),
        commands=_used(connection, _COMMAND, [*where, "c.kind = 'shell'", "c.summary > ''"], values),
    )


_SERVER = "substr(c.name, 6, instr(substr(c.name, 6) || '__', '__') - 1)"
# The first word; that after "cd … &&" where a command begins so.
_LINE = (
    "case when c.summary like 'cd %&& %' then ltrim(substr(c.summary, instr(c.summary, '&& ') + 3))"
    " else c.summary end"
)
_COMMAND = f"substr({_LINE}, 1, instr(replace({_LINE}, char(10), ' ') || ' ', ' ') - 1)"


def _since(connection: sqlite3.Connection, given: dict[str, str], period: str, now: int) -> int | None:
    if "since" in given:
        return millis(check_day("since", given["since"]))
    if period == "all":
        return None
    row = connection.execute("select max(hour) from activity_hours where hour <= ?", [now]).fetchone()
    end = now if row[0] is None or row[0] < 0 else min(now, row[0] + DAY_MS)
    return int(end - int(period) * DAY_MS)


def _first_id(ts: int | None) -> Any:
    return 0 if ts is None else max(0, ts - EPOCH) // 1000 << SLOTS


def _used(connection: sqlite3.Connection, name: str, where: list[str], values: list[Any]) -> list[Used]:
    rows = connection.execute(
        f"select {name}, max(c.kind), count(*), sum(c.status = 'error'),"
        " sum(c.status in ('rejected', 'interrupted')), count(distinct c.session_id),"
        " cast(avg(c.duration_ms) as integer), max(c.duration_ms), coalesce(sum(c.output_bytes), 0)"
        " from tool_calls c cross join sessions s on s.id = c.session_id"
        " left join projects p on p.id = s.project_id"
        f" where {' and '.join(where)} group by 1 order by 3 desc, 1 limit 100",
        values,
    )
    return [Used(*row) for row in rows]

"""What was worked on and with what: files edited last, and tools by how often and how well."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from siphon.errors import SiphonError
from siphon.query import check_day
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis
from siphon.urls import Arguments

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
CALLS = 5000  # newest calls that shell commands are told from
SHOWN = 100  # tools, servers and commands, most used first
EDITS = 3000  # newest edits that files are listed from
FACETS = ("source", "host", "project")
PERIODS = {"7": "7 days", "30": "30 days", "365": "a year", "all": "all time"}
USUAL = "30"

Facets = dict[str, list[tuple[str, int]]]
"""By the names of FACETS: (value, count), most first."""


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
    """Tools of a period. `since`: UTC ms, None: all time; `cut`: commands of its newest CALLS only."""

    since: int | None
    cut: bool
    tools: list[Used]
    servers: list[Used]
    commands: list[Used]
    facets: Facets  # calls


def files_edited(
    connection: sqlite3.Connection,
    given: Arguments,
    limit: int = 200,
    edits: Sequence[int] | None = None,
) -> list[Edited]:
    """Files by their last edit, newest first, of the newest EDITS edits; `edits`, if they are known."""
    where, values = _edits_where(given)
    # With max(), SQLite takes the other columns from the row that has it.
    rows = connection.execute(
        "select f.path, p.name, s.host, count(*), coalesce(sum(f.lines_added), 0),"
        " coalesce(sum(f.lines_removed), 0), count(distinct c.session_id), c.ts, s.uid, c.seq, s.title,"
        f" max(c.id) {_touches(connection, edits)} and {where}"
        " group by s.host, f.path order by 12 desc limit ?",
        [*values, limit],
    )
    return [Edited(*row[:11]) for row in rows]


def newest_edits(connection: sqlite3.Connection) -> list[int]:
    """The calls that edited last, by their ids; a limited reader's lie among many others'."""
    rows = connection.execute(
        "select id from tool_calls where kind in ('edit', 'write') and copy_of is null"
        f" order by id desc limit {EDITS}"
    )
    return [row[0] for row in rows]


def _touches(connection: sqlite3.Connection, edits: Sequence[int] | None) -> str:
    """The files that the edits touched, as SQL."""
    ids = newest_edits(connection) if edits is None else edits
    return (
        "from tool_calls c cross join file_touches f on f.tool_call_id = c.id"
        " join sessions s on s.id = c.session_id left join projects p on p.id = s.project_id"
        f" where c.id in ({','.join(map(str, ids))}) and f.action in ('edit', 'write', 'delete')"
    )


def _edits_where(given: Arguments) -> tuple[str, list[Any]]:
    plain = dict(given)
    for name in plain:
        if name not in (*FACETS, "path"):
            raise SiphonError(f"{name!r} is unknown here; known: {', '.join(FACETS)}, path")
    where, values = _narrowed(plain)
    if "path" in plain:
        where.append("instr(f.path, ?) > 0")
        values.append(plain["path"])
    return " and ".join(["1", *where]), values


def _narrowed(plain: dict[str, str]) -> tuple[list[str], list[Any]]:
    columns = {"source": "s.source = ?", "host": "s.host = ?", "project": "p.name = ?"}
    names = [name for name in FACETS if name in plain]
    return [columns[name] for name in names], [plain[name] for name in names]


def edit_facets(
    connection: sqlite3.Connection, given: Arguments, edits: Sequence[int] | None = None
) -> Facets:
    """Edits by tool, host and project, of those that `files_edited` looks at."""
    where, values = _edits_where(given)
    return _counted(connection, f"{_touches(connection, edits)} and {where}", values)


def _counted(
    connection: sqlite3.Connection, source: str, values: list[Any], sum_of: str = "count(*)"
) -> Facets:
    rows = connection.execute(
        f"select s.source, s.host, p.name, {sum_of} {source} group by 1, 2, 3", values
    )
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for *single, count in rows:
        for name, value in zip(FACETS, single, strict=True):
            if value is not None:
                counts[name][value] += count
    return {
        name: sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        for name, found in counts.items()
    }


def tools_used(connection: sqlite3.Connection, given: Arguments, now: int) -> Tools:
    """Tools, MCP servers and shell commands of the days before `now`, or since the last activity."""
    plain = dict(given)
    period = plain.get("days", USUAL)
    for name in plain:
        if name not in (*FACETS, "days", "since"):
            raise SiphonError(f"{name!r} is unknown here; known: {', '.join(FACETS)}, days, since")
    if period not in PERIODS:
        raise SiphonError(f"days={period!r} is unknown; known: {', '.join(PERIODS)}")
    since = _since(connection, plain, period, now)
    narrow, chosen = _narrowed(plain)
    hours, when = ("true", []) if since is None else ("hour >= ?", [since - since % HOUR_MS])
    where = " and ".join([hours, *narrow])
    values: list[Any] = [*when, *chosen]
    source = f"tool_hours h {_OF_SESSION if narrow else ''}"
    commands, cut = _commands(connection, narrow, [_first_id(since), *chosen])
    return Tools(
        since=since,
        cut=cut,
        tools=_used(connection, "h.name", f"{source} where {where}", values),
        servers=_used(connection, _SERVER, f"{source} where {where} and h.name glob 'mcp__*'", values),
        commands=commands,
        facets=_counted(
            connection,
            # Summed by session first, as that is how they lie.
            f"from (select session_id, sum(calls) as calls from tool_hours where {hours} group by 1) h"
            f" {_OF_SESSION} where {' and '.join(['true', *narrow])}",
            values,
            "sum(h.calls)",
        ),
    )


_SERVER = "substr(h.name, 6, instr(substr(h.name, 6) || '__', '__') - 1)"
# The first word; that after "cd … &&" where a command begins so.
_LINE = (
    "case when c.summary like 'cd %&& %' then ltrim(substr(c.summary, instr(c.summary, '&& ') + 3))"
    " else c.summary end"
)
_COMMAND = f"substr({_LINE}, 1, instr(replace({_LINE}, char(10), ' ') || ' ', ' ') - 1)"


_OF_SESSION = "join sessions s on s.id = h.session_id left join projects p on p.id = s.project_id"


def _used(connection: sqlite3.Connection, name: str, source: str, values: list[Any]) -> list[Used]:
    rows = connection.execute(
        f"select {name}, max(h.kind), sum(h.calls), sum(h.errors), sum(h.rejections + h.interruptions),"
        " count(distinct h.session_id), sum(h.duration_ms) / nullif(sum(h.timed_calls), 0),"
        f" max(h.slowest_ms), coalesce(sum(h.output_bytes), 0) from {source}"
        f" group by 1 order by 3 desc, 1 limit {SHOWN}",
        values,
    )
    return [Used(*row) for row in rows]


def _commands(
    connection: sqlite3.Connection, narrow: list[str], values: list[Any]
) -> tuple[list[Used], bool]:
    """Shell commands of the newest CALLS calls, and whether there are more calls than these."""
    where = " and ".join(["c.id >= ?", "c.copy_of is null", *narrow])
    joined = (
        "cross join sessions s on s.id = c.session_id left join projects p on p.id = s.project_id"
        if narrow
        else ""
    )
    rows = connection.execute(
        f"""
        with calls as materialized (
            select
                c.kind, c.status, c.session_id, c.duration_ms, c.output_bytes,
                case when c.kind = 'shell' then substr(c.summary, 1, 200) end as summary
            from tool_calls c
            {joined}
            where {where}
            order by c.id desc
            limit {CALLS}
        )
        select {_COMMAND}, 'shell', count(*), sum(status = 'error'),
            sum(status in ('rejected', 'interrupted')), count(distinct session_id),
            cast(avg(duration_ms) as integer), max(duration_ms), coalesce(sum(output_bytes), 0),
            (select count(*) from calls)
        from calls c
        where summary > ''
        group by 1
        order by 3 desc, 1
        limit {SHOWN}
        """,
        values,
    ).fetchall()
    return [Used(*row[:-1]) for row in rows], bool(rows) and rows[0][-1] == CALLS


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

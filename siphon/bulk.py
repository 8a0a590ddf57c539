"""JSON in bulk: messages, requests, usage and activity, a page at a time or all of it, line by line."""

import base64
import binascii
import sqlite3
from typing import Any, NamedTuple

from siphon.api import Json, rows, whole
from siphon.errors import SiphonError
from siphon.overview import hosts as all_hosts
from siphon.query import check_day
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis
from siphon.urls import Arguments
from siphon.work import files_edited, tools_used

DAY_MS = 86_400_000
PAGE = 100
MOST = 1000


class Table(NamedTuple):
    """A list that is read newest first. `columns`: key → SQL; `filters`: name → SQL with one ?."""

    name: str
    columns: dict[str, str]
    source: str
    filters: dict[str, str]
    where: str
    id: str  # rises with time; leaves the database only inside a cursor
    first_id: bool  # ids are made from times: days bound them


_SESSION = {
    "host": "s.host = ?",
    "source": "s.source = ?",
    "project": "p.name = ?",
    "repo": "s.git_repo = ?",
    "branch": "s.git_branch = ?",
    "session": "s.uid = ?",
}
_PLACE = {"session": "s.uid", "host": "s.host", "source": "s.source", "project": "p.name"}
_JOINED = "cross join sessions s on s.id = x.session_id left join projects p on p.id = s.project_id"

MESSAGES = Table(
    name="messages",
    columns={
        **_PLACE,
        "seq": "x.seq",
        "native_id": "x.native_id",
        "role": "x.role",
        "kind": "x.kind",
        "ts": "x.ts",
        "model": "x.model",
        "abandoned": "x.abandoned",
        "text": "x.text",
    },
    source=f"messages x {_JOINED}",
    filters={**_SESSION, "kind": "x.kind = ?", "role": "x.role = ?", "model": "x.model = ?"},
    where="x.copy_of is null and not s.hidden",
    id="x.id",
    first_id=True,
)
_TOKENS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens",
)  # fmt: skip
REQUESTS = Table(
    name="requests",
    columns={
        **_PLACE,
        "seq": "x.seq",
        "native_id": "x.native_id",
        "model": "x.model",
        "ts": "x.ts",
        **{name: f"x.{name}" for name in _TOKENS},
        "web_searches": "x.web_searches",
        "cost_usd": "coalesce(x.cost_nanousd, x.reported_nanousd) / 1e9",
        "reported_usd": "x.reported_nanousd / 1e9",
        "price_rule": "x.price_rule",
        "incomplete": "x.incomplete",
        "tier": "x.tier",
    },
    source=f"requests x {_JOINED}",
    filters={**_SESSION, "model": "x.model = ?"},
    where="x.copy_of is null",
    id="x.id",
    first_id=False,
)
_FLAGS = ("abandoned", "incomplete")


def messages(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Messages of all sessions, newest first; copies are left out."""
    return _page(connection, MESSAGES, given)


def requests(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Billed requests of all sessions, newest first; copies are left out."""
    return _page(connection, REQUESTS, given)


def _page(connection: sqlite3.Connection, table: Table, given: Arguments) -> Json:
    plain = dict(given)
    fields = _fields(table, plain.get("fields"))
    where, values = _where(table, given)
    limit = whole(plain, "limit", PAGE, 1, MOST)
    if "cursor" in plain:
        where.append(f"{table.id} < ?")
        values.append(_opened(plain["cursor"]))
    columns = ", ".join(f"{table.columns[name]} as {name}" for name in fields)
    found = rows(
        connection,
        f"select {table.id} as cursor_, {columns} from {table.source} where {' and '.join(where)}"
        f" order by {table.id} desc limit ?",
        [*values, limit + 1],
    )
    more = len(found) > limit
    found = found[:limit]
    last = found[-1]["cursor_"] if more else None
    return {
        table.name: [_told(one) for one in found],
        "next": None if last is None else _sealed(last),
    }


def _told(row: Json) -> Json:
    del row["cursor_"]
    for name in _FLAGS:
        if name in row:
            row[name] = bool(row[name])
    return row


def _fields(table: Table, text: str | None) -> list[str]:
    fields = list(table.columns) if text is None else [one for one in text.split(",") if one]
    for name in fields:
        if name not in table.columns:
            raise SiphonError(f"no field {name!r}; known: {', '.join(table.columns)}")
    if not fields:
        raise SiphonError(f"fields='' asks for nothing; known: {', '.join(table.columns)}")
    return list(dict.fromkeys(fields))


def _where(table: Table, given: Arguments) -> tuple[list[str], list[Any]]:
    """Values of one filter are alternatives; different filters must all hold."""
    where: list[str] = [table.where]
    values: list[Any] = []
    by_name: dict[str, list[str]] = {}
    for name, value in given:
        if name not in ("fields", "limit", "cursor", "format"):
            by_name.setdefault(name, []).append(value)
    for name, chosen in by_name.items():
        if name in ("since", "until", "day"):
            start = millis(check_day(name, chosen[-1])) or 0
            if name != "until":
                where.append(f"{_moment(table)} >= ?")
                values.append(_bound(table, start))
            if name != "since":
                where.append(f"{_moment(table)} < ?")
                values.append(_bound(table, start + DAY_MS))
        elif name in table.filters:
            where.append(f"({' or '.join([table.filters[name]] * len(chosen))})")
            values += chosen
        else:
            known = ", ".join((*table.filters, "since", "until", "day", "fields", "limit", "cursor"))
            raise SiphonError(f"no filter {name!r}; known: {known}")
    return where, values


def _moment(table: Table) -> str:
    return table.id if table.first_id else "x.ts"


def _bound(table: Table, ts: int) -> int:
    return max(0, ts - EPOCH) // 1000 << SLOTS if table.first_id else ts


def _sealed(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _opened(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise SiphonError(f"cursor={cursor!r} is none of ours; take 'next' of the page before") from None


GROUPS = {
    "day": "date(nullif(u.hour, -1) / 1000, 'unixepoch')",
    "hour": "nullif(u.hour, -1)",
    "model": "nullif(u.model, '')",
    "host": "s.host",
    "source": "s.source",
    "project": "p.name",
    "session": "s.uid",
}


def usage(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Requests, tokens and cost, summed by any of GROUPS."""
    plain = dict(given)
    by = [one for one in plain.get("by", "day").split(",") if one]
    for name in by:
        if name not in GROUPS:
            raise SiphonError(f"by={name!r} is unknown; known: {', '.join(GROUPS)}")
    where, values = _bounded(given, "u.hour", ("by",))
    keys = "".join(f"{GROUPS[name]} as {name}, " for name in by)
    places = ", ".join(str(place + 1) for place in range(len(by)))
    sums = ", ".join(f"coalesce(sum(u.{name}), 0) as {name}" for name in _TOKENS)
    found = rows(
        connection,
        f"select {keys}coalesce(sum(u.requests), 0) as requests, {sums},"
        " coalesce(sum(u.unpriced_requests), 0) as unpriced_requests,"
        " sum(u.cost_nanousd) / 1e9 as cost_usd"
        " from usage_hours u join sessions s on s.id = u.session_id"
        f" left join projects p on p.id = s.project_id where {where}"
        f"{f' group by {places} order by {places}' if by else ''} limit 100000",
        values,
    )
    return {"by": by, "usage": found}


def activity(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Prompts, replies and tool calls by UTC hour."""
    where, values = _bounded(given, "a.hour", ())
    found = rows(
        connection,
        "select nullif(a.hour, -1) as hour, sum(a.prompts) as prompts, sum(a.replies) as replies,"
        " sum(a.tool_calls) as tool_calls, sum(a.tool_errors) as tool_errors,"
        " count(distinct a.session_id) as sessions"
        " from activity_hours a join sessions s on s.id = a.session_id"
        f" left join projects p on p.id = s.project_id where {where} group by 1 order by 1",
        values,
    )
    return {"activity": found}


def _bounded(given: Arguments, hour: str, more: tuple[str, ...]) -> tuple[str, list[Any]]:
    where: list[str] = ["1"]
    values: list[Any] = []
    for name, value in given:
        if name in ("since", "until", "day"):
            start = millis(check_day(name, value)) or 0
            if name != "until":
                where.append(f"{hour} >= ?")
                values.append(start)
            if name != "since":
                where.append(f"{hour} < ?")
                values.append(start + DAY_MS)
        elif name in _SESSION:
            where.append(_SESSION[name])
            values.append(value)
        elif name not in more:
            known = ", ".join((*_SESSION, "since", "until", "day", *more))
            raise SiphonError(f"{name!r} is unknown here; known: {known}")
    return " and ".join(where), values


def files(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Files by their last edit, newest first, from the newest edits."""
    return {"files": [one._asdict() for one in files_edited(connection, given)]}


def tools(connection: sqlite3.Connection, given: Arguments, now: int) -> Json:
    """Tools, MCP servers and shell commands: calls, failures, durations."""
    found = tools_used(connection, given, now)
    return {
        "since": found.since,
        "cut": found.cut,
        "tools": [one._asdict() for one in found.tools],
        "servers": [one._asdict() for one in found.servers],
        "commands": [one._asdict() for one in found.commands],
    }


def hosts(connection: sqlite3.Connection, now: int) -> Json:
    """Hosts, how fresh they are, and what is wrong with them."""
    return {"hosts": [one._asdict() for one in all_hosts(connection, now)]}


def health(connection: sqlite3.Connection) -> Json:
    """Whether the database can be read, and how old what it holds is."""
    row = connection.execute("select count(*), max(loaded_at) from logs").fetchone()
    return {"ok": True, "logs": row[0], "loaded_at": row[1]}

"""JSON in bulk: messages and requests, a page at a time, newest first; copies are left out.

A page looks through TRIED rows at most: with filters that few rows fit it may hold less than was asked
for, or nothing, and still lead on.
"""

import sqlite3
from typing import Any, NamedTuple

from siphon.api import Json, filters, rows, whole
from siphon.auth_limits import is_limited
from siphon.cursors import Key, opened, sealed
from siphon.errors import SiphonError
from siphon.query import check_day
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis
from siphon.urls import Arguments

DAY_MS = 86_400_000
PAGE = 100
MOST = 1000
TRIED = 8000  # rows that one page looks through
TRIED_LIMITED = 1000  # of a limited reader, who pays for those between too


class Table(NamedTuple):
    """A list that is read newest first. `columns`: key → SQL; `filters`: name → SQL with one ?."""

    name: str
    columns: dict[str, str]
    filters: dict[str, str]
    where: str
    time: str  # the column that it is ordered by, before the id
    timed: bool  # it holds ms, or NULL; else ids that are made from times


SESSION = {
    "host": "s.host = ?",
    "source": "s.source = ?",
    "project": "p.name = ?",
    "repo": "s.git_repo = ?",
    "branch": "s.git_branch = ?",
    "session": "s.uid = ?",
}
_PLACE = {"session": "s.uid", "host": "s.host", "source": "s.source", "project": "p.name"}
_TOKENS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens",
)  # fmt: skip
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
    filters={**SESSION, "kind": "x.kind = ?", "role": "x.role = ?", "model": "x.model = ?"},
    where="x.copy_of is null and not s.hidden",
    time="id",
    timed=False,
)
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
    filters={**SESSION, "model": "x.model = ?"},
    where="x.copy_of is null",
    time="ts",
    timed=True,
)
_FLAGS = ("abandoned", "incomplete")
_OWN = ("since", "until", "day", "fields", "limit", "cursor")


def messages(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Messages of all sessions."""
    return _page(connection, MESSAGES, given)


def requests(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Billed requests of all sessions."""
    return _page(connection, REQUESTS, given)


class _Stretch(NamedTuple):
    """Some keys of a table, newest first: SQL that yields (first, id), its parameters, and how many."""

    sql: str
    values: list[Any]
    tried: int


def _page(connection: sqlite3.Connection, table: Table, given: Arguments) -> Json:
    plain = dict(given)
    fields = _fields(table, plain.get("fields"))
    limit = whole(plain, "limit", PAGE, 1, MOST)
    where, values = filters(given, table.filters, _OWN)
    found: list[Json] = []
    edge: Key | None = None
    tried = TRIED_LIMITED if is_limited(connection) else TRIED
    for stretch in _stretches(table, given, tried):
        found += _rows(connection, table, fields, stretch, (where, values), limit + 1 - len(found))
        edge = _edge(connection, stretch) if len(found) <= limit else None
        if len(found) > limit or edge is not None:
            break
    after = [found[limit - 1]["first_"], found[limit - 1]["id_"]] if len(found) > limit else edge
    return {
        table.name: [_told(one) for one in found[:limit]],
        "next": None if after is None else sealed(*after),
    }


def _rows(
    connection: sqlite3.Connection,
    table: Table,
    fields: list[str],
    stretch: _Stretch,
    fitting: tuple[str, list[Any]],
    limit: int,
) -> list[Json]:
    columns = ", ".join(f"{table.columns[name]} as {name}" for name in fields)
    return rows(
        connection,
        f"select k.first as first_, k.id as id_, {columns} from ({stretch.sql} limit {stretch.tried}) k"
        f" cross join {table.name} x on x.id = k.id cross join sessions s on s.id = x.session_id"
        f" left join projects p on p.id = s.project_id where {table.where} and {fitting[0]} limit ?",
        [*stretch.values, *fitting[1], limit],
    )


def _edge(connection: sqlite3.Connection, stretch: _Stretch) -> Key | None:
    """The last key that was looked at; None: there are no more."""
    sql = f"{stretch.sql} limit 1 offset {stretch.tried - 1}"
    row = connection.execute(sql, stretch.values).fetchone()
    return None if row is None else list(row)


def _stretches(table: Table, given: Arguments, tried: int) -> list[_Stretch]:
    """Of one session by its records; else by time, and then what has none."""
    plain = dict(given)
    after = opened(plain["cursor"], 2) if "cursor" in plain else None
    sessions = [value for name, value in given if name == "session"]
    if len(sessions) == 1:
        return [_of_session(table, sessions[0], _bounds(table, given), after, tried)]
    where, values = _bounds(table, given)
    where += [f"{table.time} is not null"] if table.timed else []
    stretches = []
    if after is None or after[0] is not None:
        key = "(id)" if not table.timed else f"({table.time}, id)"
        if after is not None:
            where.append(f"{key} < ({', '.join('?' * (1 + table.timed))})")
            values += after[: 1 + table.timed]
        order = f"{table.time} desc" + (", id desc" if table.timed else "")
        sql = f"select {table.time} as first, id from {table.name}"
        stretches.append(_Stretch(f"{sql} where {' and '.join(where)} order by {order}", values, tried))
    if table.timed and not any(name in ("since", "until", "day") for name in plain):
        below = 2**63 - 1 if after is None or after[0] is not None else after[1]
        sql = f"select {table.time} as first, id from {table.name} where {table.time} is null and id < ?"
        stretches.append(_Stretch(f"{sql} order by id desc", [below], tried))
    return stretches


def _of_session(
    table: Table, uid: str, bounds: tuple[list[str], list[Any]], after: Key | None, tried: int
) -> _Stretch:
    where, values = bounds
    sql = (
        f"select seq as first, id from {table.name} where session_id ="
        " (select id from sessions where uid = ?) and (seq, id) < (?, ?)"
        f" and {' and '.join(where)} order by seq desc, id desc"
    )
    return _Stretch(sql, [uid, *(after or [2**63 - 1, 2**63 - 1]), *values], tried)


def _bounds(table: Table, given: Arguments) -> tuple[list[str], list[Any]]:
    where = ["true"]
    values: list[Any] = []
    for name, value in given:
        if name in ("since", "until", "day"):
            start = millis(check_day(name, value)) or 0
            if name != "until":
                where.append(f"{table.time} >= ?")
                values.append(_bound(table, start))
            if name != "since":
                where.append(f"{table.time} < ?")
                values.append(_bound(table, start + DAY_MS))
    return where, values


def _bound(table: Table, ts: int) -> int:
    return ts if table.timed else max(0, ts - EPOCH) // 1000 << SLOTS


def _told(row: Json) -> Json:
    del row["first_"], row["id_"]
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

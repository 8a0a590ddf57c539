"""The newest (or oldest) hits of a search, table by table: what facets and relevance are made of.

Messages and tool calls are two full-text tables whose ids both rise with time, so hits of both merge
by id. Words are looked up in pages of ids, so that a common word costs no more than a rare one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

from siphon.query import DATES
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis

WINDOW = 2000  # hits that facets and relevance are made of
BUDGET = 60_000  # hits of the words that are tried against the filters
COUNTED = 10_000  # more than this are not counted
PAGE = 4000  # hits of the words asked for at a time
DAY_MS = 86_400_000

MESSAGES = {  # what a scope means; the rest are columns of tool calls
    "prompts": "x.kind in ('prompt', 'command')",
    "replies": "x.kind = 'reply'",
    "thinking": "x.kind = 'thinking'",
    "other": "x.kind not in ('prompt', 'command', 'reply', 'thinking')",
}
CALLS = ("input", "output")
SCOPES = (*MESSAGES, *CALLS)

# How a filter reads in SQL, on messages and on tool calls; None: nothing of the table fits.
FILTERS: dict[str, tuple[str | None, str | None]] = {
    "host": ("s.host = ? collate nocase", "s.host = ? collate nocase"),
    "source": ("s.source = ?", "s.source = ?"),
    "project": ("p.name = ? collate nocase", "p.name = ? collate nocase"),
    "repo": ("s.git_repo = ?", "s.git_repo = ?"),
    "branch": ("s.git_branch = ?", "s.git_branch = ?"),
    "session": ("s.uid = ?", "s.uid = ?"),
    "kind": ("x.kind = ?", "'tool_call' = ?"),
    "role": ("x.role = ?", "'tool' = ?"),
    "model": ("x.model = ?", None),
    "tool": (None, "x.name = ? collate nocase"),
    "status": (None, "x.status = ?"),
    "file": (
        None,
        "exists (select 1 from file_touches f where f.tool_call_id = x.id and instr(f.path, ?) > 0)",
    ),
}
_COLUMNS = {
    "messages": "x.id, x.session_id, 'messages', x.seq, x.kind, x.role, x.model, null, x.ts",
    "tool_calls": "x.id, x.session_id, 'tool_calls', x.seq, 'tool_call', 'tool', null, x.name, x.ts",
}


class Seen(NamedTuple):
    """A hit in the window: as much of it as facets need."""

    id: int
    session: int
    table: str
    seq: int
    kind: str  # a message's kind, or tool_call
    role: str
    model: str | None
    tool: str | None
    ts: int | None  # UTC ms


class Asked(NamedTuple):
    """What is looked for: the FTS5 expression (None: everything), scopes, filters, order."""

    match: str | None
    scopes: tuple[str, ...]
    filters: tuple[tuple[str, str], ...]
    newest: bool


class Stream:
    """The hits in one table, in the order of time, as far as the budget goes."""

    def __init__(self, connection: sqlite3.Connection, table: str, asked: Asked) -> None:
        self.connection = connection
        self.table = table
        self.newest = asked.newest
        self.match = _scoped(table, asked)
        self.low, self.high = _bounds(connection, table, asked.filters)  # ids, both inclusive
        self.where, self.values = _conditions(table, asked)
        self.spent = False  # the budget ended before the hits did

    @property
    def filtered(self) -> bool:
        return len(self.where) > 2

    def __iter__(self) -> Iterator[Seen]:
        low, high = self.low, self.high
        tried = 0
        while tried < BUDGET:
            edge, found = self._edge(low, high)
            if edge is None:
                return
            yield from self._page(*((edge, high) if self.newest else (low, edge)))
            if found < PAGE:
                return
            low, high = (low, edge - 1) if self.newest else (edge + 1, high)
            tried += found
        self.spent = True

    def count(self) -> int:
        """Hits of the words, at most COUNTED + 1; filters on rows are not applied."""
        sql = f"select count(*) from (select 1 from {self._from()} limit {COUNTED + 1})"
        return int(self.connection.execute(sql, self._given(self.low, self.high)).fetchone()[0])

    def ranks(self, low: int, high: int) -> Iterator[tuple[int, float]]:
        """Yield (id, bm25) of the hits between two ids; the less the better."""
        sql = f"select rowid, bm25({self.table}_fts) from {self._from()}"
        yield from self.connection.execute(sql, self._given(low, high))

    def _edge(self, low: int, high: int) -> tuple[int | None, int]:
        """The id that the next PAGE hits of the words reach, and how many they are."""
        order, end = ("desc", "min") if self.newest else ("asc", "max")
        sql = (
            f"select {end}(id), count(*) from"
            f" (select f.rowid as id from {self._from()} order by f.rowid {order} limit {PAGE})"
        )
        row = self.connection.execute(sql, self._given(low, high)).fetchone()
        return row[0], row[1]

    def _page(self, low: int, high: int) -> Iterator[Seen]:
        order = "desc" if self.newest else "asc"
        sql = (
            f"select {_COLUMNS[self.table]} from {self._joined()}"
            " cross join sessions s on s.id = x.session_id"
            " left join projects p on p.id = s.project_id"
            f" where {self._found} and {' and '.join(self.where)} order by f.rowid {order}"
        )
        rows = self.connection.execute(sql, [*self._given(low, high), *self.values])
        return map(Seen._make, rows)

    @property
    def _index(self) -> str:
        return self.table if self.match is None else f"{self.table}_fts"

    @property
    def _found(self) -> str:
        between = "f.rowid between ? and ?"
        return between if self.match is None else f"{self._index} match ? and {between}"

    def _from(self) -> str:
        return f"{self._index} f where {self._found}"

    def _joined(self) -> str:
        return f"{self._index} f cross join {self.table} x on x.id = f.rowid"

    def _given(self, low: int, high: int) -> list[str | int]:
        return [low, high] if self.match is None else [self.match, low, high]


def streams(connection: sqlite3.Connection, asked: Asked) -> list[Stream]:
    """One for each table of which something can fit."""
    return [Stream(connection, table, asked) for table in _COLUMNS if _fits(table, asked)]


def window(found: Iterable[Stream], newest: bool) -> tuple[list[Seen], bool]:
    """The first WINDOW hits of all, and whether there are no more."""
    streams = list(found)
    merged = merge(*streams, key=lambda seen: seen.id, reverse=newest)
    hits = list(islice(merged, WINDOW + 1))
    return hits[:WINDOW], len(hits) <= WINDOW and not any(stream.spent for stream in streams)


def _fits(table: str, asked: Asked) -> bool:
    place = list(_COLUMNS).index(table)
    own = MESSAGES if table == "messages" else CALLS
    return bool(set(asked.scopes) & set(own)) and all(
        FILTERS[name][place] is not None for name, _ in asked.filters if name in FILTERS
    )


def _scoped(table: str, asked: Asked) -> str | None:
    columns = [name for name in CALLS if name in asked.scopes]
    if asked.match is None or table == "messages" or len(columns) == 2:
        return asked.match
    return f"{columns[0]} : ({asked.match})"


def _conditions(table: str, asked: Asked) -> tuple[list[str], list[str]]:
    """Values of one filter are alternatives; different filters must all hold."""
    where, values = ["x.copy_of is null", "not s.hidden"], []
    if table == "messages" and not set(MESSAGES) <= set(asked.scopes):
        kinds = [MESSAGES[scope] for scope in asked.scopes if scope in MESSAGES]
        where.append(f"({' or '.join(kinds)})")
    for name in dict.fromkeys(name for name, _ in asked.filters if name in FILTERS):
        given = [value for other, value in asked.filters if other == name]
        condition = FILTERS[name][list(_COLUMNS).index(table)]
        where.append(f"({' or '.join([str(condition)] * len(given))})")
        values += given
    return where, values


def _bounds(
    connection: sqlite3.Connection, table: str, filters: tuple[tuple[str, str], ...]
) -> tuple[int, int]:
    """Ids follow time: a range of days is a range of ids, and so is a session."""
    low, high = 0, 2**62
    sessions = [value for name, value in filters if name == "session"]
    if len(sessions) == 1:
        low, high = _session_bounds(connection, table, sessions[0])
    for name, value in filters:
        if name in DATES:
            start = millis(value) or 0
            if name != "until":
                low = max(low, _id(start))
            if name != "since":
                high = min(high, _id(start + DAY_MS) - 1)
    return low, high


def _session_bounds(connection: sqlite3.Connection, table: str, uid: str) -> tuple[int, int]:
    row = connection.execute(
        f"select coalesce(min(id), 1), coalesce(max(id), 0) from {table}"
        " where session_id = (select id from sessions where uid = ?)",
        [uid],
    ).fetchone()
    return row[0], row[1]


def _id(ts: int) -> int:
    return max(0, ts - EPOCH) // 1000 << SLOTS

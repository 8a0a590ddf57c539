"""The newest (or oldest) hits of a search, table by table: what facets and relevance are made of.

Messages and tool calls are two full-text tables whose ids both rise with time, so hits of both merge
by id. The full-text index gives ids alone, a page at a time, so that a common word costs no more than a
rare one.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from siphon.idspans import OF_SESSION, spans

WINDOW = 2000  # hits that facets and relevance are made of
BUDGET = 20_000  # hits of the words that are tried against the filters
COUNTED = 10_000  # more than this are not counted
PAGE = 4000  # hits of the words asked for at a time, where filters follow
STEP = 1000  # rows read at a time

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
    **{name: (condition, condition) for name, condition in OF_SESSION.items()},
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


_ID = itemgetter(0)


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
        self.spans = spans(connection, table, asked.filters)
        self.where, self.values = _conditions(table, asked)
        self.counted = 0  # hits of the words that were met, filters on rows not applied
        self.spent = False  # the budget ended before the hits did

    @property
    def filtered(self) -> bool:
        return len(self.where) > 2

    def __iter__(self) -> Iterator[Seen]:
        for low, high in reversed(self.spans) if self.newest else self.spans:
            yield from self._between(low, high)
            if self.spent:
                return

    def _between(self, low: int, high: int) -> Iterator[Seen]:
        """Hits between two ids, both inclusive. One look into the index costs the most: it is large."""
        limit = PAGE if self.filtered else COUNTED + 1
        found = limit
        while found == limit and not self.spent:
            ids = self._ids(low, high, limit)
            found = len(ids)
            self.counted += found
            for start in range(0, found, STEP):
                yield from self._rows(ids[start : start + STEP])
            if ids:
                low, high = (low, ids[-1] - 1) if self.newest else (ids[-1] + 1, high)
            self.spent = self.counted >= BUDGET and found == limit

    def _ids(self, low: int, high: int, limit: int) -> list[int]:
        index, found, given = self.table, "f.rowid between ? and ?", [low, high, limit]
        if self.match is not None:
            index, found = f"{index}_fts", f"{index}_fts match ? and {found}"
        order = "desc" if self.newest else "asc"
        sql = f"select f.rowid from {index} f where {found} order by f.rowid {order} limit ?"
        rows = self.connection.execute(sql, given if self.match is None else [self.match, *given])
        return [row[0] for row in rows]

    def _rows(self, ids: list[int]) -> list[Seen]:
        sql = (
            f"select {_COLUMNS[self.table]} from json_each(?) j"
            f" cross join {self.table} x on x.id = j.value"
            " cross join sessions s on s.id = x.session_id left join projects p on p.id = s.project_id"
            f" where {' and '.join(self.where)}"
        )
        rows = self.connection.execute(sql, [json.dumps(ids), *self.values])
        return sorted(map(Seen._make, rows), key=_ID, reverse=self.newest)


def streams(connection: sqlite3.Connection, asked: Asked) -> list[Stream]:
    """One for each table of which something can fit."""
    return [Stream(connection, table, asked) for table in _COLUMNS if _fits(table, asked)]


def window(found: Iterable[Stream], newest: bool) -> tuple[list[Seen], bool]:
    """The first WINDOW hits of all, and whether there are no more."""
    streams = list(found)
    merged = merge(*streams, key=_ID, reverse=newest)
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

"""The newest (or oldest) hits of a search, table by table: what facets and relevance are made of.

Messages and tool calls are two full-text tables whose ids both rise with time, so hits of both merge
by id. The full-text index gives ids alone, a page at a time, so that a common word costs no more than a
rare one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from siphon.auth_limits import is_limited
from siphon.idspans import OF_SESSION, nearest, spans

WINDOW = 2000  # hits that facets and relevance are made of
BUDGET = 20_000  # hits of the words that are tried against the filters
ALLOWED = 5_000  # and of a limited reader's hits, which lie among others that are looked at too
COUNTED = 10_000  # more than this are not counted
PAGE = 4000  # hits of the words that are tried at a time, where filters follow

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
        self.spans = nearest(spans(connection, table, asked.filters), asked.newest)
        self.where, self.values = _conditions(table, asked)
        self.counted = 0  # hits of the words that were met, filters on rows not applied
        self.spent = False  # the budget ended before the hits did
        # A limited reader's index looks at each hit's row before it gives it: not twice, then.
        self.once = is_limited(connection)

    @property
    def filtered(self) -> bool:
        return len(self.where) > 2

    def __iter__(self) -> Iterator[Seen]:
        for low, high in reversed(self.spans) if self.newest else self.spans:
            yield from self._between(low, high)
            if self.spent:
                return

    def _between(self, low: int, high: int) -> Iterator[Seen]:
        """Hits between two ids, both inclusive."""
        if self.once:
            return self._each(low, high)
        return self._paged(low, high)

    def _paged(self, low: int, high: int) -> Iterator[Seen]:
        more = True
        while more and not self.spent:
            limit = min(PAGE if self.filtered else COUNTED + 1, BUDGET - self.counted)
            found, edge = self._tried(low, high, limit)
            self.counted += found
            if found:
                yield from self._rows(*((edge, high) if self.newest else (low, edge)))
                low, high = (low, edge - 1) if self.newest else (edge + 1, high)
            more = found == limit
            self.spent = more and self.counted >= BUDGET

    def _each(self, low: int, high: int) -> Iterator[Seen]:
        """All hits of the words are read, as far as somebody asks, and tried here."""
        for *row, fits in self._read(low, high, [], f"({' and '.join(self.where)})"):
            self.counted += 1
            if fits:
                yield Seen._make(row)
            if self.counted == ALLOWED:
                self.spent = True
                return

    def _tried(self, low: int, high: int, limit: int) -> tuple[int, int]:
        """How many hits of the words there are, `limit` at most, and the last of them."""
        last, order = ("min", "desc") if self.newest else ("max", "asc")
        index, where, values = f"{self.table} f", "f.rowid between ? and ?", [low, high, limit]
        if self.match is not None:
            index, where = f"{self.table}_fts f", f"{self.table}_fts match ? and {where}"
        row = self.connection.execute(
            f"select count(*), {last}(id) from"
            f" (select f.rowid as id from {index} where {where} order by f.rowid {order} limit ?)",
            values if self.match is None else [self.match, *values],
        ).fetchone()
        return row[0], row[1] or 0

    def _rows(self, low: int, high: int) -> Iterator[Seen]:
        """What the filters let through, read as far as somebody asks."""
        return map(Seen._make, self._read(low, high, self.where))

    def _read(
        self, low: int, high: int, conditions: list[str], more: str | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """The rows in order, as the index gives them. `more`: a column, instead of the conditions."""
        source, where, key = f"{self.table} x", "x.id between ? and ?", "x.id"
        values: list[str | int] = [low, high]
        if self.match is not None:
            source = f"{self.table}_fts f cross join {source} on x.id = f.rowid"
            where, key = f"{self.table}_fts match ? and f.rowid between ? and ?", "f.rowid"
            values = [self.match, *values]
        columns = _COLUMNS[self.table] if more is None else f"{_COLUMNS[self.table]}, {more}"
        return self.connection.execute(
            f"select {columns} from {source} cross join sessions s on s.id = x.session_id"
            f" where {' and '.join([where, *conditions])}"
            f" order by {key} {'desc' if self.newest else 'asc'}",
            [*values, *self.values] if more is None else [*self.values, *values],
        )


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
    """Whether the scopes and filters leave anything of the table."""
    place = list(_COLUMNS).index(table)
    own = MESSAGES if table == "messages" else CALLS
    if not set(asked.scopes) & set(own) or not _holds_kind(table, asked.filters):
        return False
    return all(FILTERS[name][place] is not None for name, _ in asked.filters if name in FILTERS)


def _holds_kind(table: str, filters: tuple[tuple[str, str], ...]) -> bool:
    """Whether a kind that is asked for stands in the table: tool calls are of one kind, and role."""
    kinds = [value for name, value in filters if name == "kind"]
    roles = [value for name, value in filters if name == "role"]
    if table == "tool_calls":
        return ("tool_call" in kinds or not kinds) and ("tool" in roles or not roles)
    return not kinds or any(kind != "tool_call" for kind in kinds)


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

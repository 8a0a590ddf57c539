"""The search window (design §7): newest hits first, facets and relevance inside the newest 2,000.

Messages and tool calls are two full-text tables whose ids both rise with time, so hits of both merge
by id. The plugin, the CLI and the API all search through `search`.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import NamedTuple

from siphon.errors import SiphonError
from siphon.query import Words, check_day, expression, parse
from siphon.rows import EPOCH, SLOTS
from siphon.times import millis

WINDOW = 2000  # hits that facets and relevance are made of
BUDGET = 60_000  # hits of the words that are tried against the filters
COUNTED = 10_000  # more than this are not counted
PAGE = 4000  # hits of the words asked for at a time
SORTS = ("newest", "oldest", "relevance")
SCOPES = ("prompts", "replies", "thinking", "other", "input", "output")
FACETS = ("host", "source", "project", "kind", "role", "model", "tool", "day")
MARKS = ("\x02", "\x03")  # round the words found, in a snippet
_DAY_MS = 86_400_000


class Query(NamedTuple):
    """A search: the words, the filters (name → value; values of one name are alternatives), the order."""

    text: str
    filters: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = SCOPES
    sort: str = "newest"
    limit: int = 20
    offset: int = 0


class Hit(NamedTuple):
    """A message or a tool call that was found. `ts` UTC ms; `snippet` has MARKS round the words."""

    session: str  # uid
    seq: int
    title: str | None
    host: str
    source: str
    project: str | None
    kind: str  # a message's kind, or tool_call
    role: str
    model: str | None
    tool: str | None
    ts: int | None
    native_id: str | None
    snippet: str


class Found(NamedTuple):
    """A page of hits, and what is known of all of them."""

    hits: list[Hit]
    total: int
    counted: str  # exact; at least (`total` is a lower bound)
    window: int  # hits that facets and relevance were made of
    complete: bool  # the window holds every hit
    facets: dict[str, list[tuple[str, int]]]  # name → (value, hits in the window), most first
    words: Words


class _Seen(NamedTuple):
    """A hit in the window, before its text is fetched."""

    id: int
    table: str
    seq: int
    kind: str
    role: str
    model: str | None
    tool: str | None
    ts: int | None
    native_id: str | None
    uid: str
    title: str | None
    host: str
    source: str
    project: str | None


_SEEN = {
    "messages": "x.id, 'messages', x.seq, x.kind, x.role, x.model, null, x.ts, x.native_id",
    "tool_calls": "x.id, 'tool_calls', x.seq, 'tool_call', 'tool', null, x.name, x.ts, x.native_id",
}
# How a filter reads in SQL; None: the table has no such thing, so nothing of it fits.
_FILTERS: dict[str, tuple[str | None, str | None]] = {
    "host": ("s.host = ?", "s.host = ?"),
    "source": ("s.source = ?", "s.source = ?"),
    "project": ("p.name = ?", "p.name = ?"),
    "repo": ("s.git_repo = ?", "s.git_repo = ?"),
    "branch": ("s.git_branch = ?", "s.git_branch = ?"),
    "session": ("s.uid = ?", "s.uid = ?"),
    "kind": ("x.kind = ?", "'tool_call' = ?"),
    "role": ("x.role = ?", "'tool' = ?"),
    "model": ("x.model = ?", None),
    "tool": (None, "x.name = ?"),
    "file": (
        None,
        "exists (select 1 from file_touches f where f.tool_call_id = x.id and instr(f.path, ?) > 0)",
    ),
}
_SCOPED = {
    "prompts": "x.kind in ('prompt', 'command')",
    "replies": "x.kind = 'reply'",
    "thinking": "x.kind = 'thinking'",
    "other": "x.kind not in ('prompt', 'command', 'reply', 'thinking')",
}


def search(connection: sqlite3.Connection, query: Query) -> Found:
    """Find messages and tool calls. Raises SiphonError that says what is wrong with the query."""
    words = parse(query.text)
    query = _checked(query._replace(filters=(*query.filters, *words.filters)))
    streams = [
        stream
        for table in _SEEN
        if (stream := _stream(connection, table, expression(words), query)) is not None
    ]
    window, complete = _window(streams, query.sort)
    ordered = _by_relevance(window, streams) if query.sort == "relevance" else window
    page = ordered[query.offset : query.offset + query.limit]
    total = len(window) if complete else max(len(window), _count(streams))
    return Found(
        hits=_hits(page, streams),
        total=total,
        counted="exact" if complete else "at least",
        window=len(window),
        complete=complete,
        facets=_facets(window),
        words=words,
    )


def _checked(query: Query) -> Query:
    for name, value, known in (
        *(("sort", value, SORTS) for value in (query.sort,)),
        *(("in", value, SCOPES) for value in query.scopes),
    ):
        if value not in known:
            raise SiphonError(f"{name}={value!r} is unknown; known: {', '.join(known)}")
    for name, value in query.filters:
        if name in ("day", "since", "until"):
            check_day(name, value)
        elif name not in _FILTERS:
            raise SiphonError(
                f"no filter {name!r}; known: {', '.join((*_FILTERS, 'day', 'since', 'until'))}"
            )
    if not 1 <= query.limit <= 200:
        raise SiphonError(f"limit={query.limit} is out of range; it would be 1 to 200")
    if not 0 <= query.offset <= WINDOW:
        raise SiphonError(f"offset={query.offset} is out of range; it would be 0 to {WINDOW}")
    return query


class _Stream:
    """The hits in one full-text table, in the order of time, as far as the budget goes."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        table: str,
        match: str,
        bounds: tuple[int, int],
        newest: bool,
    ) -> None:
        self.connection = connection
        self.table = table
        self.match = match
        self.bounds = bounds  # ids, both inclusive
        self.newest = newest
        self.where: list[str] = ["x.copy_of is null", "not s.hidden"]
        self.values: list[str] = []
        self.spent = False  # the budget ended before the hits did

    def __iter__(self) -> Iterator[_Seen]:
        low, high = self.bounds
        tried = 0
        while tried < BUDGET:
            edge, count = self._edge(low, high)
            if edge is None:
                return
            first, last = (edge, high) if self.newest else (low, edge)
            yield from self._page(first, last)
            if count < PAGE:
                return
            low, high = (low, edge - 1) if self.newest else (edge + 1, high)
            tried += count
        self.spent = True

    def _edge(self, low: int, high: int) -> tuple[int | None, int]:
        """The id that the next PAGE hits of the words reach, and how many they are."""
        order, end = ("desc", "min") if self.newest else ("asc", "max")
        row = self.connection.execute(
            f"select {end}(id), count(*) from (select rowid as id from {self.table}_fts where"
            f" {self.table}_fts match ? and rowid between ? and ? order by rowid {order} limit {PAGE})",
            [self.match, low, high],
        ).fetchone()
        return row[0], row[1]

    def _page(self, low: int, high: int) -> Iterator[_Seen]:
        order = "desc" if self.newest else "asc"
        cursor = self.connection.execute(
            f"select {_SEEN[self.table]}, s.uid, s.title, s.host, s.source, p.name"
            f" from {self.table}_fts f cross join {self.table} x on x.id = f.rowid"
            " cross join sessions s on s.id = x.session_id left join projects p on p.id = s.project_id"
            f" where {self.table}_fts match ? and f.rowid between ? and ? and {' and '.join(self.where)}"
            f" order by f.rowid {order}",
            [self.match, low, high, *self.values],
        )
        return (_Seen(*row) for row in cursor)


def _stream(connection: sqlite3.Connection, table: str, match: str, query: Query) -> _Stream | None:
    """The table's hits under the query's filters; None if nothing of the table can fit."""
    match_in = _scoped_match(table, match, query.scopes)
    bounds = _bounds(query)
    if match_in is None:
        return None
    stream = _Stream(connection, table, match_in, bounds, query.sort != "oldest")
    if table == "messages" and not set(_SCOPED) <= set(query.scopes):
        kinds = [_SCOPED[scope] for scope in query.scopes if scope in _SCOPED]
        stream.where.append(f"({' or '.join(kinds)})")
    by_name: dict[str, list[str]] = {}
    for name, value in query.filters:
        if name in _FILTERS:
            by_name.setdefault(name, []).append(value)
    for name, values in by_name.items():
        condition = _FILTERS[name][list(_SEEN).index(table)]
        if condition is None:
            return None
        stream.where.append("(" + " or ".join([condition] * len(values)) + ")")
        stream.values.extend(values)
    return stream


def _scoped_match(table: str, match: str, scopes: tuple[str, ...]) -> str | None:
    if table == "messages":
        return match if set(scopes) & set(_SCOPED) else None
    columns = [name for name in ("input", "output") if name in scopes]
    if len(columns) == 2:
        return match
    return f"{columns[0]} : ({match})" if columns else None


def _bounds(query: Query) -> tuple[int, int]:
    """Ids follow time: a range of days is a range of ids."""
    low, high = 0, 2**62
    for name, value in query.filters:
        if name in ("day", "since", "until"):
            start = millis(value) or 0
            if name != "until":
                low = max(low, _id(start))
            if name != "since":
                high = min(high, _id(start + _DAY_MS) - 1)
    return low, high


def _id(ts: int) -> int:
    return max(0, ts - EPOCH) // 1000 << SLOTS


def _window(streams: list[_Stream], sort: str) -> tuple[list[_Seen], bool]:
    merged = merge(*streams, key=lambda seen: seen.id, reverse=sort != "oldest")
    window = list(islice(merged, WINDOW + 1))
    complete = len(window) <= WINDOW and not any(stream.spent for stream in streams)
    return window[:WINDOW], complete


def _count(streams: list[_Stream]) -> int:
    """Hits of the words, capped; filters on rows are not applied, so only without them it counts."""
    if any(len(stream.where) > 2 for stream in streams):
        return 0
    return sum(
        stream.connection.execute(
            f"select count(*) from (select 1 from {stream.table}_fts where {stream.table}_fts match ?"
            f" and rowid between ? and ? limit {COUNTED + 1})",
            [stream.match, *stream.bounds],
        ).fetchone()[0]
        for stream in streams
    )


def _by_relevance(window: list[_Seen], streams: list[_Stream]) -> list[_Seen]:
    """The window by bm25, best first; newer first among equals."""
    ranks: dict[tuple[str, int], float] = {}
    for stream in streams:
        ids = [seen.id for seen in window if seen.table == stream.table]
        if ids:
            rows = stream.connection.execute(
                f"select rowid, bm25({stream.table}_fts) from {stream.table}_fts"
                f" where {stream.table}_fts match ? and rowid between ? and ?",
                [stream.match, min(ids), max(ids)],
            )
            ranks.update(((stream.table, key), rank) for key, rank in rows)
    return sorted(window, key=lambda seen: (ranks.get((seen.table, seen.id), 0.0), -seen.id))


def _facets(window: list[_Seen]) -> dict[str, list[tuple[str, int]]]:
    facets = {}
    for name in FACETS:
        values = (_day(seen.ts) if name == "day" else getattr(seen, name) for seen in window)
        counts = Counter(value for value in values if value is not None)
        facets[name] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return facets


def _day(ts: int | None) -> str | None:
    from datetime import UTC, datetime

    try:
        return None if ts is None else datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return None


def _hits(page: list[_Seen], streams: list[_Stream]) -> list[Hit]:
    snippets: dict[tuple[str, int], str] = {}
    for stream in streams:
        for seen in page:
            if seen.table == stream.table:
                snippets[seen.table, seen.id] = _snippet(stream, seen.id)
    return [
        Hit(
            session=seen.uid, seq=seen.seq, title=seen.title, host=seen.host, source=seen.source,
            project=seen.project, kind=seen.kind, role=seen.role, model=seen.model, tool=seen.tool,
            ts=seen.ts, native_id=seen.native_id, snippet=snippets.get((seen.table, seen.id), ""),
        )
        for seen in page
    ]  # fmt: skip


def _snippet(stream: _Stream, key: int) -> str:
    column = 0 if stream.table == "messages" else -1
    row = stream.connection.execute(
        f"select snippet({stream.table}_fts, ?, ?, ?, '…', 24) from {stream.table}_fts"
        f" where {stream.table}_fts match ? and rowid = ?",
        [column, *MARKS, stream.match, key],
    ).fetchone()
    return "" if row is None or row[0] is None else str(row[0])

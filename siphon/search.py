"""Search, for pages, API and command line alike: facets and relevance inside a window (design §7)."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from siphon.errors import SiphonError
from siphon.figures import day
from siphon.query import DATES, Words, check_day, expression, parse
from siphon.snippet import Snippet, head, snippet
from siphon.window import CALLS, FILTERS, SCOPES, WINDOW, Asked, Seen, Stream, streams, window

SORTS = ("newest", "oldest", "relevance")
FACETS = (
    "host", "source", "project", "repo", "kind", "role", "model", "tool", "file", "day",
)  # fmt: skip
_FACET_VALUES = 200  # of one facet, most frequent first


class Query(NamedTuple):
    """A search: words, filters (name, value; values of one name are alternatives), order, page."""

    text: str
    filters: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = SCOPES
    sort: str = "newest"
    limit: int = 20
    offset: int = 0


class Hit(NamedTuple):
    """A message or a tool call that was found. `ts` UTC ms."""

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
    snippet: Snippet


class Found(NamedTuple):
    """A page of hits, and what is known of all of them."""

    hits: list[Hit]
    total: int
    counted: str  # exact; at least (`total` is a lower bound)
    window: int  # hits that facets and relevance were made of
    complete: bool  # the window holds every hit
    facets: dict[str, list[tuple[str, int]]]  # name → (value, hits in the window), most first
    query: Query  # its filters with those in the text
    words: Words
    note: str | None  # what the searcher should know about the words


def search(connection: sqlite3.Connection, query: Query) -> Found:
    """Find messages and tool calls; without words, all that the filters let through.

    Words are never wrong; raises SiphonError where filters, scopes, order or page are.
    """
    words = parse(query.text)
    query = checked(query._replace(filters=tuple(dict.fromkeys((*query.filters, *words.filters)))))
    asked = Asked(expression(words), query.scopes, query.filters, query.sort != "oldest")
    found = [] if words.idle else streams(connection, asked)
    hits, complete = window(found, asked.newest)
    ordered = _by_relevance(hits, found) if query.sort == "relevance" and words.wanted else hits
    total = len(hits)
    if not complete and not any(stream.filtered for stream in found):
        total = max(total, sum(stream.count() for stream in found))
    return Found(
        hits=_hits(connection, ordered[query.offset : query.offset + query.limit], words, query.scopes),
        total=total,
        counted="exact" if complete else "at least",
        window=len(hits),
        complete=complete,
        facets=_facets(connection, hits),
        query=query,
        words=words,
        note=_note(words),
    )


def checked(query: Query) -> Query:
    """The query as given; raises SiphonError naming what is wrong with it."""
    for name, value, known in (
        ("sort", query.sort, SORTS),
        *(("in", scope, SCOPES) for scope in query.scopes),
    ):
        if value not in known:
            raise SiphonError(f"{name}={value!r} is unknown; known: {', '.join(known)}")
    for name, value in query.filters:
        if name in DATES:
            check_day(name, value)
        elif name not in FILTERS:
            raise SiphonError(f"no filter {name!r}; known: {', '.join((*FILTERS, *DATES))}")
    if not 1 <= query.limit <= 200:
        raise SiphonError(f"limit={query.limit} is out of range; it would be 1 to 200")
    if not 0 <= query.offset <= WINDOW:
        raise SiphonError(f"offset={query.offset} is out of range; it would be 0 to {WINDOW}")
    return query


def _note(words: Words) -> str | None:
    if words.cut:
        return f"only the first {len(words.wanted)} words were looked for"
    if not words.idle:
        return None
    if words.unwanted:
        return "only exclusions were given; add a word that must occur"
    return "no letter and no digit was given, so there is nothing to look for"


def _by_relevance(hits: list[Seen], found: Iterable[Stream]) -> list[Seen]:
    """The window by bm25, best first; newer first among equals."""
    ranks: dict[tuple[str, int], float] = {}
    for stream in found:
        ids = [seen.id for seen in hits if seen.table == stream.table]
        if ids:
            ranks.update(((stream.table, key), rank) for key, rank in stream.ranks(min(ids), max(ids)))
    return sorted(hits, key=lambda seen: (ranks.get((seen.table, seen.id), 0.0), -seen.id))


def _facets(connection: sqlite3.Connection, hits: list[Seen]) -> dict[str, list[tuple[str, int]]]:
    counts: dict[str, Counter[str | None]] = {
        name: Counter(getattr(seen, name) for seen in hits)
        for name in FACETS
        if name not in ("day", "file")
    }
    counts["day"] = Counter(day(seen.ts) for seen in hits)
    counts["file"] = _files(connection, hits)
    return {
        name: sorted(
            ((value, count) for value, count in counts[name].items() if value is not None),
            key=lambda item: (-item[1], item[0]),
        )[:_FACET_VALUES]
        for name in FACETS
    }


def _files(connection: sqlite3.Connection, hits: list[Seen]) -> Counter[str | None]:
    """Calls in the window by each file that they touched."""
    calls = ",".join(str(seen.id) for seen in hits if seen.table == "tool_calls")
    if not calls:
        return Counter()
    rows = connection.execute(
        "select path, count(distinct tool_call_id) from file_touches"
        f" where tool_call_id in ({calls}) group by path"
    )
    return Counter({row[0]: row[1] for row in rows})


def _hits(
    connection: sqlite3.Connection, page: list[Seen], words: Words, scopes: tuple[str, ...]
) -> list[Hit]:
    return [
        Hit(
            session=seen.uid, seq=seen.seq, title=seen.title, host=seen.host, source=seen.source,
            project=seen.project, kind=seen.kind, role=seen.role, model=seen.model, tool=seen.tool,
            ts=seen.ts, native_id=seen.native_id, snippet=_snippet(connection, seen, words, scopes),
        )
        for seen in page
    ]  # fmt: skip


def _snippet(
    connection: sqlite3.Connection, seen: Seen, words: Words, scopes: tuple[str, ...]
) -> Snippet:
    """Where the words stand: in a tool call's output only if its input does not have them."""
    texts = []
    wanted = ("text",) if seen.table == "messages" else ("summary", *CALLS)
    for name in wanted:
        if name in CALLS and name not in scopes:
            continue
        row = connection.execute(f"select {name} from {seen.table} where id = ?", [seen.id]).fetchone()
        text = "" if row is None or row[0] is None else str(row[0])
        texts.append("\n".join(leaves(text)) if name == "input" else text)
        found = snippet(texts[-1], words.wanted) if words.wanted else None
        if found is not None:
            return found
    return next((head(text) for text in texts if text), head(""))


def leaves(text: str) -> Iterator[str]:
    """Yield the texts and numbers in JSON, in order; what is no JSON as it is."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        yield text
    else:
        yield from _leaves(value)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)

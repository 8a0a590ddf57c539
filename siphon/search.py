"""Search, for pages, API and command line alike: facets and relevance inside a window (design §7)."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from siphon.errors import SiphonError
from siphon.facets import Facets, Place, facets, places
from siphon.plain import MARKED, plain
from siphon.query import DATES, Words, check_day, expression, parse
from siphon.relevance import by_relevance
from siphon.snippet import Snippet, head, snippet
from siphon.sources import sources
from siphon.urls import Arguments
from siphon.window import CALLS, FILTERS, SCOPES, WINDOW, Asked, Seen, streams, window

SORTS = ("newest", "oldest", "relevance")


class Query(NamedTuple):
    """A search: words, filters (name, value; values of one name are alternatives), order, page."""

    text: str
    filters: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = SCOPES
    sort: str = "newest"
    limit: int = 20
    offset: int = 0
    each: int | None = None  # hits of one session at most; limit and offset then count sessions


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
    sessions: dict[str, int]  # hits in the window, by uid, of the sessions on the page
    found_in: int  # sessions that have hits in the window
    total: int
    counted: str  # exact; at least (`total` is a lower bound)
    window: int  # hits that facets and relevance were made of
    complete: bool  # the window holds every hit
    facets: Facets
    query: Query  # its filters with those in the text
    words: Words
    note: str | None  # what the searcher should know about the words


USUAL = ("prompts", "replies")  # scopes of a page that nobody chose others for
_NAMED = ("q", "in", "sort", "limit", "offset")


def asked(given: Arguments, limit: int = 20) -> Query:
    """The query that URL arguments mean; raises SiphonError where they mean none."""
    plain = {name: value for name, value in given if name in _NAMED}
    scopes = [part.strip() for name, value in given if name == "in" for part in value.split(",")]
    return checked(
        Query(
            text=plain.get("q", ""),
            filters=tuple((name, value) for name, value in given if name not in _NAMED),
            scopes=tuple(dict.fromkeys(scopes)) or SCOPES,
            sort=plain.get("sort", "newest"),
            limit=_whole("limit", plain.get("limit"), limit),
            offset=_whole("offset", plain.get("offset"), 0),
        )
    )


def _whole(name: str, text: str | None, usual: int) -> int:
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 9:
        raise SiphonError(f"{name}={text!r} is no whole number; leave it out, or give one")
    return int(text)


def scoped(query: Query) -> Query:
    """The query with the scopes of a page where none were chosen: all, if it asks for tool calls."""
    filters = (*query.filters, *parse(query.text).filters)
    calls = any(
        name in ("tool", "file", "status") or (name == "kind" and value not in ("prompt", "reply"))
        for name, value in filters
    )
    return query._replace(scopes=SCOPES if calls else USUAL)


def search(connection: sqlite3.Connection, query: Query) -> Found:
    """Find messages and tool calls; without words, all that the filters let through.

    Words are never wrong; raises SiphonError where filters, scopes, order or page are.
    """
    words = parse(query.text)
    filters = map(_meant, (*query.filters, *words.filters))
    query = checked(query._replace(filters=tuple(dict.fromkeys(filters))))
    asked = Asked(expression(words), query.scopes, query.filters, query.sort != "oldest")
    found = [] if words.idle else streams(connection, asked)
    hits, complete = window(found, asked.newest)
    ranked = query.sort == "relevance" and words.wanted
    ordered = by_relevance(connection, hits, words.wanted) if ranked else hits
    total = len(hits)
    if not complete and not any(stream.filtered for stream in found):
        total = max(total, sum(stream.counted for stream in found))
    counts = Counter(seen.session for seen in hits)
    page = _page(ordered, query)
    where = places(connection, {seen.session for seen in page})
    return Found(
        hits=_hits(connection, page, where, words, query),
        sessions={where[seen.session].uid: counts[seen.session] for seen in page},
        found_in=len(counts),
        total=total,
        counted="exact" if complete else "at least",
        window=len(hits),
        complete=complete,
        facets=facets(connection, hits),
        query=query,
        words=words,
        note=_note(words),
    )


def _meant(named: tuple[str, str]) -> tuple[str, str]:
    """Whoever writes tool:codex means the tool that wrote the log, not a call of that name."""
    name, value = named
    folded = value.lower().replace(" ", "_").replace("-", "_")
    return ("source", folded) if name == "tool" and folded in sources() else named


def _page(ordered: list[Seen], query: Query) -> list[Seen]:
    """The hits to be shown: of each session together, if there is a limit to each."""
    end = query.offset + query.limit
    if query.each is None:
        return ordered[query.offset : end]
    by_session: dict[int, list[Seen]] = {}
    for seen in ordered:
        by_session.setdefault(seen.session, []).append(seen)
    shown = list(by_session.values())[query.offset : end]
    return [seen for hits in shown for seen in hits[: query.each]]


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


def _hits(
    connection: sqlite3.Connection,
    page: list[Seen],
    where: dict[int, Place],
    words: Words,
    query: Query,
) -> list[Hit]:
    hits = []
    for seen in page:
        place = where[seen.session]
        hits.append(
            Hit(
                session=place.uid, seq=seen.seq, title=place.title, host=place.host,
                source=place.source, project=place.project, kind=seen.kind, role=seen.role,
                model=seen.model, tool=seen.tool, ts=seen.ts, native_id=_native_id(connection, seen),
                snippet=_snippet(connection, seen, words, query.scopes),
            )
        )  # fmt: skip
    return hits


def _native_id(connection: sqlite3.Connection, seen: Seen) -> str | None:
    sql = f"select native_id from {seen.table} where id = ?"
    found: str | None = connection.execute(sql, [seen.id]).fetchone()[0]
    return found


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
        if name == "text" and seen.kind in MARKED:
            text = plain(text)
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

"""The JSON that scripts read: shapes as pure functions of a connection and what was asked.

The routes below /-/siphon/api/ and the command line's --json print these alike. Keys are stable;
sessions are named by uid and native id, records by session and seq; no integer id of the database
leaves it. Times are UTC milliseconds, null where the log does not say.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from siphon import search as searching
from siphon import session_list as listing
from siphon.counts import Count, by_source, counts
from siphon.cursors import sealed, unfolded
from siphon.entries import DENSITIES, Call, Entry, File, entries, files_touched, visible_seqs
from siphon.errors import SiphonError
from siphon.fleet import HostStatus
from siphon.sessions import Header, Relative, children, find, header, parents
from siphon.sources import sources
from siphon.transcript import Usage, usage
from siphon.urls import Arguments, session_url

RECORDS = 100  # of a session in one answer, if nothing else is asked

Json = dict[str, Any]


def search(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Hits with snippets, and facets of the window they come from."""
    found = searching.search(connection, searching.asked(_without_fields(unfolded(given))))
    query = found.query
    after = query.offset + len(found.hits)
    return {
        "query": query.text,
        "filters": by_name(query.filters),
        "in": list(query.scopes),
        "sort": query.sort,
        "total": found.total,
        "counted": found.counted,
        "window": found.window,
        "complete": found.complete,
        "note": found.note,
        "facets": {
            name: [{"value": value, "count": count} for value, count in values]
            for name, values in found.facets.items()
        },
        "hits": [_hit(hit) for hit in found.hits],
        "next": sealed(after) if after < found.window else None,
    }


def by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of each name, in order."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def filters(given: Arguments, known: Mapping[str, str], own: Collection[str]) -> tuple[str, list[str]]:
    """SQL and its values. `known`: name → SQL with one ?; `own`: names that are no filters.

    Values of one filter are alternatives; different filters must all hold.
    """
    where, values = ["true"], []
    for name, chosen in by_name(given).items():
        if name in known:
            where.append(f"({' or '.join([known[name]] * len(chosen))})")
            values += chosen
        elif name not in own:
            raise SiphonError(f"no filter {name!r}; known: {', '.join((*known, *own))}")
    return " and ".join(where), values


def _without_fields(given: Arguments) -> Arguments:
    """The route picks them from each row."""
    return [pair for pair in given if pair[0] != "fields"]


def _hit(hit: searching.Hit) -> Json:
    return {
        **hit._asdict(),
        "snippet": hit.snippet.text,
        "marks": [list(mark) for mark in hit.snippet.marks],
        "url": session_url(hit.session, hit.seq),
    }


def sessions(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Sessions by any order, with a cursor to the next page."""
    page = listing.sessions(connection, listing.asked(_without_fields(given)), facets=False)
    return {
        "total": page.total,
        "sessions": [
            {
                **one._asdict(),
                "tokens": one.tokens,
                "models": _models(one.models),
                "url": session_url(one.uid),
            }
            for one in page.sessions
        ],
        "next": page.next,
    }


def _models(text: str | None) -> list[str]:
    return text.split(", ") if text else []


def session(connection: sqlite3.Connection, name: str, given: Arguments) -> Json:
    """One session: facts, relations, files, and a stretch of its records.

    `name` is a uid, or a unique beginning of a native id. Raises UnknownSessionError.
    """
    plain = dict(unfolded(_without_fields(given), "after"))
    for other in plain:
        if other not in ("after", "at", "limit", "show"):
            raise SiphonError(f"{other!r} is unknown here; known: at, show, limit, cursor, fields")
    density = plain.get("show", "all")
    if density not in DENSITIES:
        raise SiphonError(f"show={density!r} is unknown; known: {', '.join(DENSITIES)}")
    limit = whole(plain, "limit", RECORDS, 1, 1000)
    head = header(connection, find(connection, name))
    seqs = visible_seqs(connection, head.id, density)
    wanted = [
        seq
        for seq in seqs
        if seq > whole(plain, "after", -1, -1, 2**53) and seq >= whole(plain, "at", -1, -1, 2**53)
    ]
    shown = wanted[:limit]
    return {
        "session": _head(head),
        "usage": _usage(usage(connection, head.id)),
        "parents": [_relative(one) for one in parents(connection, head.id)],
        "children": [_relative(one) for one in children(connection, head.id)],
        "files": [_file(one) for one in files_touched(connection, head.id)],
        "total": len(seqs),
        "records": [record(one) for one in entries(connection, head.id, shown, density)],
        "next": sealed(shown[-1]) if len(wanted) > limit else None,
    }


def whole(given: dict[str, str], name: str, usual: int, low: int, high: int) -> int:
    """A whole number of the arguments; raises SiphonError where it is none or out of range."""
    text = given.get(name)
    if text is None:
        return usual
    if not text.removeprefix("-").isdecimal() or len(text) > 18 or not low <= int(text) <= high:
        raise SiphonError(f"{name}={text!r} is out of range; it would be a number from {low} to {high}")
    return int(text)


def _head(head: Header) -> Json:
    facts = head._asdict()
    for name in ("id", "cost_nanousd"):
        del facts[name]
    facts["partial"] = bool(head.partial)
    facts["models"] = _models(head.models)
    return {**facts, "cost_usd": head.cost_usd, "tokens": head.tokens, "url": session_url(head.uid)}


def _usage(spent: Usage) -> Json:
    facts = spent._asdict()
    del facts["cost_nanousd"]
    return {**facts, "cost_usd": spent.cost_usd, "tokens": spent.tokens}


def _relative(one: Relative) -> Json:
    started = None if one.at_uid is None else {"session": one.at_uid, "seq": one.at_seq}
    return {
        "kind": one.kind,
        "session": one.uid,
        "native_id": one.native_id,
        "title": one.title,
        "agent": one.agent,
        "started_by": started,
        "cost_usd": one.cost_usd,
    }


def _file(one: File) -> Json:
    return {**one._asdict(), "actions": list(one.actions)}


def record(entry: Entry) -> Json:
    """A message or a tool call. `copy_of` leads to where it was first said, and is counted."""
    facts = entry._asdict()
    origin, seq = facts.pop("origin"), facts.pop("origin_seq")
    facts["copy_of"] = None if origin is None else {"session": origin, "seq": seq}
    if isinstance(entry, Call):
        facts["input"] = _decoded(entry.input)
        facts["files"] = [touch._asdict() for touch in entry.files]
        return {"type": "tool_call", **facts}
    facts["attachments"] = list(entry.attachments)
    return {"type": "message", **facts}


def _decoded(text: str | None) -> object:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def status(
    connection: sqlite3.Connection,
    fleet: Sequence[HostStatus] | None = None,
    loaded: Sequence[Count] | None = None,
) -> Json:
    """What is loaded, from where, how fresh it is, and what could not be read.

    `fleet`: the hosts as siphon/fleet.py finds them; None: as they were at the last load. `loaded`: the
    counts, if they are known already.
    """
    found = by_source(counts(connection) if loaded is None else loaded)
    every = list(found.values())
    return {
        "sessions": sum(one.sessions for one in every),
        "logs": sum(one.logs for one in every),
        "bytes": sum(one.bytes for one in every),
        "problems": sum(one.problems for one in every),
        "failed_logs": sum(one.failed_logs for one in every),
        "loaded_at": max((one.loaded_at for one in every if one.loaded_at is not None), default=None),
        "hosts": rows(connection, "select * from host_status order by host")
        if fleet is None
        else [one._asdict() for one in fleet],
        "sources": [_of_source(one) for one in every],
        "runs": rows(
            connection,
            "select kind, host, started_at, ended_at, outcome, logs_seen, logs_changed, bytes, problems,"
            " error from runs order by started_at desc, id desc limit 20",
        ),
        # As the view unpriced_models, but from the rollup: the view reads every request.
        "unpriced_models": rows(
            connection,
            "select nullif(u.model, '') as model, s.source, sum(u.unpriced_requests) as requests"
            " from usage_hours u join sessions s on s.id = u.session_id where u.unpriced_requests > 0"
            " group by 1, 2 order by requests desc, model",
        ),
    }


def _of_source(one: Count) -> Json:
    return {
        "source": one.source,
        "logs": one.logs,
        "bytes": one.bytes,
        "problems": one.problems,
        "sessions": one.sessions,
        "title": sources()[one.source].title if one.source in sources() else one.source,
    }


def problems(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Parts of logs that could not be read, and logs that could not be parsed at all."""
    plain = dict(given := unfolded(_without_fields(given)))
    where, values = filters(given, {"host": "l.host = ?", "source": "l.source = ?"}, ("limit", "offset"))
    limit, offset = whole(plain, "limit", 100, 1, 10_000), whole(plain, "offset", 0, 0, 10**9)
    found = rows(
        connection,
        "select l.host, l.source, l.path, p.line, p.offset, p.what"
        f" from problems p join logs l on l.id = p.log_id where {where}"
        " order by l.host, l.path, p.id limit ? offset ?",
        [*values, limit + 1, offset],
    )
    total = _row(
        connection,
        f"select count(*) as n from problems p join logs l on l.id = p.log_id where {where}",
        values,
    )
    return {
        "total": total["n"],
        "problems": found[:limit],
        "failed_logs": rows(
            connection,
            f"select l.host, l.source, l.path, l.error from logs l where {where} and l.error is not null"
            " order by l.host, l.path",
            values,
        ),
        "next": sealed(offset + limit) if len(found) > limit else None,
    }


def rows(connection: sqlite3.Connection, sql: str, values: list[Any] | None = None) -> list[Json]:
    """A query's rows, each by its columns' names."""
    cursor = connection.execute(sql, values or [])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _row(connection: sqlite3.Connection, sql: str, values: list[Any] | None = None) -> Json:
    return rows(connection, sql, values)[0]

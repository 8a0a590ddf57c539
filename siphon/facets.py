"""How a search's hits are spread: by host, tool, project, day …, each value with its hits."""

import sqlite3
from collections import Counter
from typing import NamedTuple

from siphon.figures import day
from siphon.idspans import DAY_MS
from siphon.window import Seen

FACETS = (
    "host", "source", "project", "repo", "kind", "role", "model", "tool", "file", "day",
)  # fmt: skip
_VALUES = 200  # of one facet, most frequent first

Facets = dict[str, list[tuple[str, int]]]
"""Name → (value, hits in the window), most first."""


class Place(NamedTuple):
    """The session that a hit stands in."""

    uid: str
    title: str | None
    host: str
    source: str
    project: str | None


def places(connection: sqlite3.Connection, sessions: set[int]) -> dict[int, Place]:
    """The sessions by their ids."""
    rows = connection.execute(
        "select s.id, s.uid, s.title, s.host, s.source, p.name"
        " from sessions s left join projects p on p.id = s.project_id"
        f" where s.id in ({','.join(map(str, sessions))})"
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def facets(connection: sqlite3.Connection, hits: list[Seen]) -> Facets:
    """All facets of the hits."""
    counts: dict[str, Counter[str | None]] = {name: Counter() for name in FACETS}
    counts |= _of_sessions(connection, Counter(seen.session for seen in hits))
    columns = dict(zip(Seen._fields, zip(*hits, strict=True), strict=True)) if hits else {}
    for name in ("kind", "role", "model", "tool"):
        counts[name] = Counter(columns.get(name, ()))
    days = Counter(None if ts is None else ts // DAY_MS for ts in columns.get("ts", ()))
    for number, count in days.items():
        counts["day"][None if number is None else day(number * DAY_MS)] += count
    counts["file"] = _files(connection, hits)
    return {name: _ordered(found) for name, found in counts.items()}


def _of_sessions(connection: sqlite3.Connection, hits: Counter[int]) -> dict[str, Counter[str | None]]:
    """What the sessions of the hits tell; a window may hold a thousand of them."""
    names = dict(connection.execute("select id, name from projects").fetchall())
    rows = connection.execute(
        "select id, host, source, git_repo, project_id from sessions"
        f" where id in ({','.join(map(str, hits))})"
    )
    found: dict[str, Counter[str | None]] = {
        name: Counter() for name in ("host", "source", "repo", "project")
    }
    host, source, repo, project = found.values()
    for session, of_host, of_source, of_repo, of_project in rows:
        count = hits[session]
        host[of_host] += count
        source[of_source] += count
        repo[of_repo] += count
        project[names.get(of_project)] += count
    return found


def _ordered(found: Counter[str | None]) -> list[tuple[str, int]]:
    known = [(value, count) for value, count in found.items() if value is not None]
    return sorted(known, key=lambda item: (-item[1], item[0]))[:_VALUES]


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

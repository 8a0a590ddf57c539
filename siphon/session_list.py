"""Lists of sessions: filtered, sorted by anything, a page at a time, with facets over all that fit."""

import base64
import binascii
import json
import sqlite3
from collections import Counter
from typing import Any, NamedTuple

from siphon.errors import SiphonError
from siphon.figures import day
from siphon.query import check_day
from siphon.times import millis
from siphon.urls import Arguments

DAY_MS = 86_400_000
SORTS = {  # name → (SQL, whether the largest comes first)
    "started": ("coalesce(s.started_at, 0)", True),
    "ended": ("coalesce(s.ended_at, 0)", True),
    "title": ("lower(coalesce(s.title, s.native_id))", False),
    "tool": ("s.source", False),
    "host": ("s.host", False),
    "project": ("coalesce(p.name, '~')", False),
    "branch": ("coalesce(s.git_branch, '~')", False),
    "duration": ("coalesce(s.active_ms, 0)", True),
    "prompts": ("s.prompts", True),
    "calls": ("s.tool_calls", True),
    "tokens": (
        "s.input_tokens + s.cache_read_tokens + s.cache_write_tokens + s.cache_write_1h_tokens"
        " + s.output_tokens",
        True,
    ),
    "cost": ("coalesce(s.cost_nanousd, -1)", True),
}
FILTERS = {
    "host": "s.host = ?",
    "source": "s.source = ?",
    "project": "s.project_id in (select id from projects where name = ?)",
    "repo": "s.git_repo = ?",
    "branch": "s.git_branch = ?",
    "kind": "s.kind = ?",
    "model": "instr(', ' || s.models || ',', ', ' || ? || ',') > 0",
}
FACETS = ("host", "source", "project", "repo", "branch", "kind", "model")
_NAMED = ("q", "sort", "limit", "offset", "cursor", "since", "until", "day")


class Asked(NamedTuple):
    """Which sessions, in which order, and which part of them."""

    filters: tuple[tuple[str, str], ...] = ()
    text: str = ""  # in the title, the folder or the id
    sort: str = "started"
    limit: int = 50
    offset: int = 0
    cursor: str | None = None  # where the page before ended, instead of `offset`


class Listed(NamedTuple):
    """A session in a list. Times are UTC ms."""

    uid: str
    host: str
    source: str
    native_id: str
    project: str | None
    title: str | None
    kind: str
    agent: str | None
    cwd: str | None
    git_branch: str | None
    git_repo: str | None
    version: str | None
    started_at: int | None
    ended_at: int | None
    active_ms: int | None
    prompts: int
    messages: int
    tool_calls: int
    requests: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    unpriced_requests: int
    models: str | None
    copy_of: str | None  # uid
    children: int  # sessions that come from it

    @property
    def tokens(self) -> int:
        return sum(self[19:24])


class Page(NamedTuple):
    """A page of sessions; `total` and facets are of all that fit."""

    sessions: list[Listed]
    total: int
    next: str | None  # the cursor of the next page
    facets: dict[str, list[tuple[str, int]]]


def asked(given: Arguments, limit: int = 50) -> Asked:
    """What URL arguments ask for; raises SiphonError where they mean nothing."""
    plain = {name: value for name, value in given if name in _NAMED}
    filters = [(name, value) for name, value in given if name not in _NAMED]
    for name, _ in filters:
        if name not in FILTERS:
            raise SiphonError(f"no filter {name!r}; known: {', '.join((*FILTERS, *_NAMED))}")
    for name in ("since", "until", "day"):
        filters += [(name, check_day(name, plain[name]))] if name in plain else []
    sort = plain.get("sort", "started")
    if sort.removeprefix("-") not in SORTS:
        raise SiphonError(f"sort={sort!r} is unknown; known: {', '.join(SORTS)}, each also as -name")
    return Asked(
        filters=tuple(filters),
        text=plain.get("q", ""),
        sort=sort,
        limit=_whole("limit", plain.get("limit"), limit, 1, 500),
        offset=_whole("offset", plain.get("offset"), 0, 0, 10**9),
        cursor=plain.get("cursor"),
    )


def _whole(name: str, text: str | None, usual: int, low: int, high: int) -> int:
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > 10 or not low <= int(text) <= high:
        raise SiphonError(f"{name}={text!r} is out of range; it would be a number from {low} to {high}")
    return int(text)


def sessions(connection: sqlite3.Connection, query: Asked, *, facets: bool = False) -> Page:
    """The sessions that fit; hidden ones never do."""
    where, values = _where(query)
    total = _total(connection, where, values)
    rows = _rows(connection, query, total)
    more = rows[query.limit :]
    rows = rows[: query.limit]
    return Page(
        sessions=[Listed(*row[1:]) for row in rows],
        total=total,
        next=_cursor(rows[-1][0], rows[-1][1]) if more else None,
        facets=_facets(connection, where, values) if facets else {},
    )


def _rows(connection: sqlite3.Connection, query: Asked, total: int) -> list[Any]:
    """One page, each row after its key, and one row more where there is another page."""
    where, values = _where(query)
    key, falling = SORTS[query.sort.removeprefix("-")]
    falling ^= query.sort.startswith("-")
    after, edge = _after(query.cursor, key, falling)
    order = "desc" if falling else "asc"
    indexed = _INDEXED.get(key)

    def read(condition: str) -> list[Any]:
        return connection.execute(
            f"with page as materialized (select s.id, {key} as key {_FROM}"
            f" where not s.hidden and {where} {after} {condition}"
            f" order by {indexed or key} {order}, s.uid {order} limit ? offset ?)"
            f" {_SELECT} order by page.key {order}, s.uid {order}",
            [*values, *edge, query.limit + 1, query.offset],
        ).fetchall()

    if indexed and falling and total > 2 * (query.offset + query.limit):
        # SQLite takes an index in its order only for the sake of a bound; those without a time are last.
        found = read(f"and {indexed} >= -9e18")
        if len(found) > query.limit:
            return found
    return read("")


_FROM = "from sessions s left join projects p on p.id = s.project_id"
_SELECT = (
    "select page.key, s.uid, s.host, s.source, s.native_id, p.name, s.title, s.kind, s.agent, s.cwd,"
    " s.git_branch, s.git_repo, s.version, s.started_at, s.ended_at, s.active_ms, s.prompts, s.messages,"
    " s.tool_calls, s.requests, s.input_tokens, s.cache_read_tokens, s.cache_write_tokens,"
    " s.cache_write_1h_tokens, s.output_tokens, s.reasoning_tokens, s.cost_nanousd / 1e9,"
    " s.unpriced_requests, s.models, (select o.uid from sessions o where o.id = s.copy_of),"
    " (select count(*) from relations r where r.target_id = s.id)"
    " from page cross join sessions s on s.id = page.id left join projects p on p.id = s.project_id"
)
# What sorts alike and has an index: where there is no time, NULL is the smallest, as 0 is.
_INDEXED = {
    "coalesce(s.started_at, 0)": "s.started_at",
    "coalesce(s.ended_at, 0)": "s.ended_at",
}


def _where(query: Asked) -> tuple[str, list[Any]]:
    """Values of one filter are alternatives; different filters must all hold."""
    where, values = ["true"], []
    by_name: dict[str, list[Any]] = {}
    for name, value in query.filters:
        by_name.setdefault(name, []).append(value)
    for name, given in by_name.items():
        if name in FILTERS:
            where.append(f"({' or '.join([FILTERS[name]] * len(given))})")
            values += given
        else:
            start = millis(given[-1]) or 0
            if name != "until":
                where.append("s.started_at >= ?")
                values.append(start)
            if name != "since":
                where.append("s.started_at < ?")
                values.append(start + DAY_MS)
    for word in query.text.split()[:20]:
        where.append(
            "(instr(lower(coalesce(s.title, '')), ?) or instr(lower(coalesce(s.cwd, '')), ?)"
            " or instr(s.native_id, ?))"
        )
        values += [word.lower()] * 3
    return " and ".join(where), values


def _total(connection: sqlite3.Connection, where: str, values: list[Any]) -> int:
    sql = f"select count(*) from sessions s where s.hidden = 0 and {where}"
    return int(connection.execute(sql, values).fetchone()[0])


def _cursor(value: object, uid: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, uid]).encode()).decode().rstrip("=")


def _after(cursor: str | None, key: str, falling: bool) -> tuple[str, list[Any]]:
    if cursor is None:
        return "", []
    try:
        value, uid = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise SiphonError(f"cursor={cursor!r} is none of ours; take 'next' of the page before") from None
    if not isinstance(value, (int, float, str)) or not isinstance(uid, str):
        raise SiphonError(f"cursor={cursor!r} is none of ours; take 'next' of the page before")
    return f"and ({key}, s.uid) {'<' if falling else '>'} (?, ?)", [value, uid]


def _facets(
    connection: sqlite3.Connection, where: str, values: list[Any]
) -> dict[str, list[tuple[str, int]]]:
    # In the order of the index sessions_facets, so that nothing is sorted.
    rows = connection.execute(
        "select s.project_id, s.host, s.source, s.git_branch, s.kind, s.models, count(*)"
        f" from sessions s where s.hidden = 0 and {where}"
        " group by s.kind, s.project_id, s.host, s.source, s.git_branch, s.models",
        values,
    ).fetchall()
    projects = {row[0]: row[1:] for row in connection.execute("select id, name, repo from projects")}
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for project, host, source, branch, kind, models, count in rows:
        name, repo = projects.get(project, (None, None))
        single = (host, source, name, repo, branch, kind, models)
        for facet, value in zip(FACETS, single, strict=True):
            if value:
                counts[facet][value] += count
    counts["model"] = _each(counts["model"])
    return {
        name: sorted(found.items(), key=lambda item: (-item[1], item[0]))
        for name, found in counts.items()
    }


def _each(lists: Counter[str]) -> Counter[str]:
    """Counts of the models in comma separated lists."""
    counts: Counter[str] = Counter()
    for models, count in lists.items():
        for model in models.split(", "):
            counts[model] += count
    return counts


def day_of(session: Listed) -> str | None:
    """The UTC day that the session began."""
    return day(session.started_at)

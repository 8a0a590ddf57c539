"""Sessions: found by name, told of in full, and what each comes from and leads to."""

import sqlite3
from typing import NamedTuple

from siphon.errors import SiphonError
from siphon.figures import plural, stamp

CANDIDATES = 10  # sessions that an ambiguous name lists


class Header(NamedTuple):
    """A session as its page's head tells it; names as the columns of `sessions`."""

    id: int
    uid: str
    host: str
    source: str
    native_id: str
    title: str | None
    kind: str
    agent: str | None
    project: str | None  # its name
    cwd: str | None
    git_branch: str | None
    git_repo: str | None
    version: str | None
    entrypoint: str | None
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
    cost_nanousd: int | None
    unpriced_requests: int
    models: str | None
    copy_of: str | None  # uid
    partial: int
    path: str  # of its log, below the home
    log_error: str | None

    @property
    def cost_usd(self) -> float | None:
        return None if self.cost_nanousd is None else self.cost_nanousd / 1e9

    @property
    def tokens(self) -> int:
        """All classes together."""
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
            + self.cache_write_1h_tokens
            + self.output_tokens
        )


class Relative(NamedTuple):
    """Another session that this one comes from, or that comes from this one."""

    kind: str  # subagent, fork, continuation, compaction, copy
    uid: str | None  # None: not in the archive
    native_id: str
    title: str | None
    agent: str | None
    at_uid: str | None  # the session and
    at_seq: int | None  # the record of the tool call that started the child
    requests: int | None
    tool_calls: int | None
    tokens: int | None
    cost_nanousd: int | None
    active_ms: int | None

    @property
    def cost_usd(self) -> float | None:
        return None if self.cost_nanousd is None else self.cost_nanousd / 1e9


class UnknownSessionError(SiphonError):
    """No session, or more than one, has the name."""

    def __init__(self, text: str, candidates: list[str]) -> None:
        super().__init__(text)
        self.candidates = candidates  # uids


class _Match(NamedTuple):
    """A session whose name begins as was asked."""

    uid: str
    native_id: str
    original: bool
    started_at: int | None
    title: str | None


def find(connection: sqlite3.Connection, name: str) -> str:
    """The uid that a uid, a native id or a unique beginning of either means.

    Of copies the original is meant, of a session and its subagents the session. Raises
    UnknownSessionError.
    """
    if connection.execute("select 1 from sessions where uid = ?", [name]).fetchone():
        return name
    matches = _meant(_matches(connection, name), name)
    if len(matches) == 1:
        return matches[0].uid
    if not matches:
        raise UnknownSessionError(f"no session {name!r}; `siphon sessions` lists them", [])
    shown = matches[:CANDIDATES]
    listed = "".join(f"\n  {one.uid}  {stamp(one.started_at)}  {one.title or ''}" for one in shown)
    more = "\n  …" if len(matches) > CANDIDATES else ""
    what = f"{name!r} means {plural(len(matches), 'session')}; give more of its name, or one of"
    raise UnknownSessionError(f"{what}:{listed}{more}", [one.uid for one in shown])


def _matches(connection: sqlite3.Connection, name: str) -> list[_Match]:
    if not name:
        return []
    rows = connection.execute(
        "select uid, native_id, copy_of is null, started_at, title from sessions where not hidden"
        " and (substr(native_id, 1, length(?1)) = ?1 or substr(uid, 1, length(?1)) = ?1)"
        " order by started_at desc, uid",
        [name],
    )
    return [_Match(*row) for row in rows]


def _meant(matches: list[_Match], name: str) -> list[_Match]:
    exact = [one for one in matches if one.native_id == name] or matches
    ids = {one.native_id for one in exact}
    parents = [one for one in exact if not _below(one.native_id, ids)]
    return [one for one in parents if one.original] or parents


def _below(native_id: str, ids: set[str]) -> bool:
    """Whether the id is that of a subagent of one of the sessions."""
    parts = native_id.split("/")
    return any("/".join(parts[:end]) in ids for end in range(1, len(parts)))


def header(connection: sqlite3.Connection, uid: str) -> Header:
    """The session of exactly this uid; raises UnknownSessionError."""
    row = connection.execute(
        """
        select
            s.id, s.uid, s.host, s.source, s.native_id, s.title, s.kind, s.agent, p.name, s.cwd,
            s.git_branch, s.git_repo, s.version, s.entrypoint, s.started_at, s.ended_at, s.active_ms,
            s.prompts, s.messages, s.tool_calls, s.requests, s.input_tokens, s.cache_read_tokens,
            s.cache_write_tokens, s.cache_write_1h_tokens, s.output_tokens, s.reasoning_tokens,
            s.cost_nanousd, s.unpriced_requests, s.models, o.uid, s.partial, l.path, l.error
        from sessions s
        join logs l on l.id = s.log_id
        left join projects p on p.id = s.project_id
        left join sessions o on o.id = s.copy_of
        where s.uid = ?
        """,
        [uid],
    ).fetchone()
    if row is None:
        raise UnknownSessionError(f"no session {uid!r}; `siphon sessions` lists them", [])
    return Header(*row)


_RELATIVE = """
    select
        r.kind, t.uid, coalesce(t.native_id, r.target_native_id), t.title, t.agent, cs.uid, c.seq,
        t.requests, t.tool_calls,
        t.input_tokens + t.cache_read_tokens + t.cache_write_tokens + t.cache_write_1h_tokens
            + t.output_tokens,
        t.cost_nanousd, t.active_ms
    from relations r
    left join sessions t on t.id = {other}
    left join tool_calls c on c.id = r.tool_call_id
    left join sessions cs on cs.id = c.session_id
    where {own} = ? {extra}
    order by c.seq, t.started_at, t.uid
"""


def parents(connection: sqlite3.Connection, session: int) -> list[Relative]:
    """What the session comes from, as its log says; also if that is not in the archive."""
    sql = _RELATIVE.format(other="r.target_id", own="r.session_id", extra="")
    return [Relative(*row) for row in connection.execute(sql, [session])]


def children(connection: sqlite3.Connection, session: int) -> list[Relative]:
    """What comes from the session: subagents, forks, continuations, copies."""
    sql = _RELATIVE.format(other="r.session_id", own="r.target_id", extra="and not t.hidden")
    return [Relative(*row) for row in connection.execute(sql, [session])]


def log_state(connection: sqlite3.Connection, uid: str) -> str:
    """Changes with the session and its log, not by a rebuild; asks for one row.

    Raises UnknownSessionError.
    """
    row = connection.execute(
        "select l.generation, l.size, l.mtime, s.messages, s.tool_calls, s.requests, s.ended_at"
        " from sessions s join logs l on l.id = s.log_id where s.uid = ?",
        [uid],
    ).fetchone()
    if row is None:
        raise UnknownSessionError(f"no session {uid!r}; `siphon sessions` lists them", [])
    return ".".join(map(str, row))


class Branch(NamedTuple):
    """A session that went another way from one of this session's records on."""

    seq: int  # of the last record that both have
    uid: str
    title: str | None
    kind: str


def branches(connection: sqlite3.Connection, session: int) -> list[Branch]:
    """Forks and continuations that copied some of the session's messages, by where they left it."""
    rows = connection.execute(
        """
        select max(o.seq), t.uid, t.title, r.kind
        from relations r
        join sessions t on t.id = r.session_id and not t.hidden
        cross join messages x on x.session_id = t.id
        cross join messages o on o.id = x.copy_of and o.session_id = r.target_id
        where r.target_id = ? and r.kind in ('fork', 'continuation')
        group by t.id, r.kind
        order by 1, 2
        """,
        [session],
    )
    return [Branch(*row) for row in rows]

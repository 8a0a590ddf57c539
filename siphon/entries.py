"""The records of a session: messages and tool calls, in the order of its log, as much as is wanted."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

# What each density shows: message kinds, and whether tool calls.
_SAID = ("prompt", "command", "reply", "summary", "error")
_DONE = (*_SAID, "thinking", "notice", "tool_result")
DENSITIES: dict[str, tuple[tuple[str, ...], bool]] = {
    "prompts": (("prompt", "command"), False),
    "conversation": (_SAID, False),
    "tools": (_DONE, True),
    "all": ((*_DONE, "meta"), True),
}
USUAL = "tools"


class Text(NamedTuple):
    """A message. `origin`: the session (uid) in which it was first said, if that is another."""

    seq: int
    native_id: str | None
    role: str
    kind: str
    ts: int | None
    model: str | None
    text: str | None
    abandoned: bool
    attachments: tuple[dict[str, Any], ...]
    origin: str | None
    origin_seq: int | None
    raw: bool  # the archive has its raw record


class Touch(NamedTuple):
    """A file that a call read or changed."""

    path: str
    action: str
    lines_added: int | None
    lines_removed: int | None


class Call(NamedTuple):
    """A tool call. `input` is JSON."""

    seq: int
    native_id: str | None
    name: str
    kind: str
    summary: str | None
    input: str | None
    output: str | None
    output_bytes: int | None
    status: str
    exit_code: int | None
    ts: int | None
    duration_ms: int | None
    lines_added: int | None
    lines_removed: int | None
    abandoned: bool
    origin: str | None
    origin_seq: int | None
    raw: bool
    files: tuple[Touch, ...]


Entry = Text | Call


class File(NamedTuple):
    """A file that the session's calls changed or read, all in all. `seq`: the last call that did."""

    path: str
    actions: tuple[str, ...]  # edit, write, delete, read, search: those that happened
    touches: int
    lines_added: int
    lines_removed: int
    seq: int


# A record copied within its own session is shown once.
ONCE = (
    "(x.copy_of is null or not exists"
    " (select 1 from {table} o where o.id = x.copy_of and o.session_id = x.session_id))"
)


def _sources(density: str) -> list[tuple[str, str]]:
    """(table, condition) of what the density shows."""
    kinds, calls = DENSITIES[density]
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    tables = [("messages", f"x.kind in ({listed})"), *([("tool_calls", "1")] if calls else [])]
    return [(table, f"{condition} and {ONCE.format(table=table)}") for table, condition in tables]


def visible_seqs(connection: sqlite3.Connection, session: int, density: str) -> list[int]:
    """Of all records that the density shows, rising."""
    sql = " union all ".join(
        f"select x.seq from {table} x where x.session_id = :session and {condition}"
        for table, condition in _sources(density)
    )
    return [row[0] for row in connection.execute(f"{sql} order by 1", {"session": session})]


def entries(
    connection: sqlite3.Connection, session: int, seqs: Sequence[int], density: str
) -> list[Entry]:
    """The visible records from the first to the last of `seqs`, in order."""
    if not seqs:
        return []
    span = [session, seqs[0], seqs[-1]]
    found: list[Entry] = []
    for table, condition in _sources(density):
        read = _texts if table == "messages" else _calls
        found += read(connection, condition, span)
    return sorted(found, key=lambda entry: entry.seq)


def _texts(connection: sqlite3.Connection, condition: str, span: list[int]) -> Iterable[Text]:
    rows = connection.execute(
        "select x.seq, x.native_id, x.role, x.kind, x.ts, x.model, x.text, x.abandoned, x.attachments,"
        " os.uid, o.seq, x.offset is not null"
        " from messages x left join messages o on o.id = x.copy_of"
        " left join sessions os on os.id = o.session_id"
        f" where x.session_id = ? and x.seq between ? and ? and {condition}",
        span,
    )
    for row in rows:
        *begin, abandoned, attachments, origin, origin_seq, raw = row
        said = _attachments(attachments)
        values: list[Any] = [*begin, bool(abandoned), said, origin, origin_seq, bool(raw)]
        yield Text(*values)


def _attachments(text: str | None) -> tuple[dict[str, Any], ...]:
    if text is None:
        return ()
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _calls(connection: sqlite3.Connection, condition: str, span: list[int]) -> Iterable[Call]:
    files = _touches(connection, span)
    rows = connection.execute(
        "select x.seq, x.native_id, x.name, x.kind, x.summary, x.input, x.output, x.output_bytes,"
        " x.status, x.exit_code, x.ts, x.duration_ms, x.lines_added, x.lines_removed, x.abandoned,"
        " os.uid, o.seq, x.offset is not null"
        " from tool_calls x left join tool_calls o on o.id = x.copy_of"
        " left join sessions os on os.id = o.session_id"
        f" where x.session_id = ? and x.seq between ? and ? and {condition}",
        span,
    )
    for row in rows:
        *begin, abandoned, origin, origin_seq, raw = row
        touched = tuple(files.get(row[0], ()))
        values: list[Any] = [*begin, bool(abandoned), origin, origin_seq, bool(raw), touched]
        yield Call(*values)


def _touches(connection: sqlite3.Connection, span: list[int]) -> dict[int, list[Touch]]:
    rows = connection.execute(
        "select c.seq, f.path, f.action, f.lines_added, f.lines_removed"
        " from tool_calls c join file_touches f on f.tool_call_id = c.id"
        " where c.session_id = ? and c.seq between ? and ? order by f.id",
        span,
    )
    files: dict[int, list[Touch]] = {}
    for row in rows:
        files.setdefault(row[0], []).append(Touch(*row[1:]))
    return files


def files_touched(connection: sqlite3.Connection, session: int) -> list[File]:
    """What the session worked on: changed files first, then those only read."""
    rows = connection.execute(
        "select f.path, group_concat(distinct f.action), count(*), coalesce(sum(f.lines_added), 0),"
        " coalesce(sum(f.lines_removed), 0), max(c.seq), max(f.action in ('edit', 'write', 'delete'))"
        " from file_touches f join tool_calls c on c.id = f.tool_call_id"
        " where f.session_id = ? group by f.path order by 7 desc, f.path",
        [session],
    )
    return [File(row[0], tuple(sorted(row[1].split(","))), *row[2:6]) for row in rows]

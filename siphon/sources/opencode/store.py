"""opencode.db: sessions, messages and parts as rows, their records as JSON in `data`."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import mapping, text
from siphon.sources._sqlite import decoded, named, rows
from siphon.sources.opencode.shapes import (
    MESSAGE,
    PART,
    Conversation,
    PartInfo,
    SessionInfo,
    Turn,
    ordered,
    parted,
)
from siphon.sources.opencode.tree import aside

_ANY = msgspec.json.Decoder()


class Store(NamedTuple):
    """An open store, and the columns of its tables."""

    log: Log
    connection: sqlite3.Connection
    tables: dict[str, list[str]]


def sessions(store: Store) -> dict[str, SessionInfo]:
    """All sessions by id, older ones first: a fork comes after what it was made of."""
    columns = store.tables.get("session", [])
    order = "order by time_created, id" if "time_created" in columns else ""
    branches = _by_id(store, "workspace", "branch")
    wanted = [name for name in columns if name in _SESSION]
    found = {}
    for row in named(store.log, store.connection, "session", wanted, order):
        session = text(row.get("id"))
        if session:
            found[session] = _info(store, row, branches)
    return found


_SESSION = (
    "id",
    "project_id",
    "workspace_id",
    "parent_id",
    "directory",
    "title",
    "version",
    "revert",
    "time_created",
    "time_updated",
)


def _info(store: Store, row: dict[str, Any], branches: dict[str, str]) -> SessionInfo:
    revert = row.get("revert")
    return SessionInfo(
        id=row["id"],
        parent=row.get("parent_id"),
        project=row.get("project_id"),
        directory=row.get("directory"),
        title=row.get("title"),
        version=row.get("version"),
        time={"created": row.get("time_created"), "updated": row.get("time_updated")},
        revert=decoded(store.log, revert, _ANY, f"session {row['id']}, revert") if revert else None,
        branch=branches.get(str(row.get("workspace_id"))),
    )


def worktrees(store: Store) -> dict[str, str]:
    """Each project's folder."""
    return _by_id(store, "project", "worktree")


def _by_id(store: Store, table: str, column: str) -> dict[str, str]:
    columns = store.tables.get(table, [])
    if "id" not in columns or column not in columns:
        return {}
    found = named(store.log, store.connection, table, ["id", column])
    return {str(row["id"]): row[column] for row in found if text(row[column])}


def conversation(store: Store, session: str, info: SessionInfo, worktree: str | None) -> Conversation:
    return Conversation(session, info, turns(store, session), worktree)


def turns(store: Store, session: str) -> list[Turn]:
    """A session's messages. The ids stand in columns, all else in `data`."""
    parts = _parts(store, session)
    found = []
    for message, data in _of_session(store, "message", "id", session):
        info = decoded(store.log, data, MESSAGE, f"message {message}")
        held = parts.pop(message, [])
        if info is not None:
            info.id = message
            found.append(Turn(message, info, parted(session, message, held)))
    for message, held in parts.items():
        store.log.problem(f"{len(held)} parts without their message {message}")
    return ordered(found)


def _parts(store: Store, session: str) -> dict[str, list[PartInfo]]:
    """The parts of each message, by id."""
    found: dict[str, list[PartInfo]] = defaultdict(list)
    for message, part, data in _of_session(store, "part", "message_id, id", session):
        info = decoded(store.log, data, PART, f"part {part}")
        if info is not None:
            info.id = part
            found[str(message)].append(info)
    return found


def _of_session(store: Store, table: str, keys: str, session: str) -> Iterator[tuple[Any, ...]]:
    """Yield (keys …, data) of a session's rows, by keys; data as the bytes that are stored."""
    if not {"session_id", "data", *keys.split(", ")} <= set(store.tables.get(table, [])):
        return
    sql = f"select {keys}, cast(data as blob) from {table} where session_id = ? order by {keys}"
    for row in rows(store.log, store.connection, sql, (session,)):
        if all(isinstance(key, str) for key in row[:-1]):
            yield row


def strays(store: Store, known: dict[str, SessionInfo]) -> list[str]:
    """Sessions that have messages but no row of their own."""
    if "session_id" not in store.tables.get("message", []):
        return []
    sql = "select distinct session_id from message order by session_id"
    found = [row[0] for row in rows(store.log, store.connection, sql)]
    return [session for session in found if isinstance(session, str) and session not in known]


def elders(store: Store, turn: Turn) -> Iterator[tuple[str, list[Turn]]]:
    """Yield (session, messages) of each other session that has a message of that time."""
    if not {"session_id", "time_created"} <= set(store.tables.get("message", [])):
        return
    store = store._replace(log=aside(store.log))
    sql = "select distinct session_id from message where time_created = ? and id <> ? order by 1"
    for (session,) in list(rows(store.log, store.connection, sql, (turn.info.created, turn.info.id))):
        if isinstance(session, str):
            yield session, turns(store, session)


def caller(store: Store, child: str, parent: str) -> str | None:
    """The tool part of the parent that names the child."""
    if not {"session_id", "data"} <= set(store.tables.get("part", [])):
        return None
    store = store._replace(log=aside(store.log))
    sql = "select id, data from part where session_id = ? and instr(data, ?) order by id"
    for part, data in rows(store.log, store.connection, sql, (parent, child)):
        info = decoded(store.log, data, PART, f"part {part}")
        metadata = mapping(mapping(info.state if info else None).get("metadata"))
        if child in (metadata.get("sessionId"), metadata.get("sessionID")):
            return text(part)
    return None


def mirrors(store: Store) -> Counter[str]:
    """Rows of newer builds that repeat message and part rows; `…/alone` of those that repeat none."""
    found: Counter[str] = Counter()
    for table, column in (("session_message", "session_id"), ("event", "aggregate_id")):
        if column in store.tables.get(table, []):
            sql = (
                f"select {column} in (select session_id from message), count(*) from {table} group by 1"
            )
            for mirrored, n in rows(store.log, store.connection, sql):
                found[table if mirrored or table == "event" else f"{table}/alone"] += n
    return found

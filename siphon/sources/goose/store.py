"""sessions.db: rows by column name, since builds add columns; a message's content is JSON."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import items, mapping, stamp, text
from siphon.sources._sqlite import decoded, named, tables
from siphon.sources.goose.blocks import CALLS, Written
from siphon.sources.goose.tools import kind_of

_ANY = msgspec.json.Decoder()


class Store(NamedTuple):
    """An open store, and the columns of its tables."""

    log: Log
    connection: sqlite3.Connection
    tables: Mapping[str, list[str]]


def opened(log: Log, connection: sqlite3.Connection) -> Store:
    store = Store(log, connection, tables(log, connection))
    if not {"sessions", "messages"} <= store.tables.keys():
        log.problem("no tables sessions and messages")
    return store


def sessions(store: Store) -> list[dict[str, Any]]:
    """All sessions, older ones first: a copy comes after its original."""
    columns = store.tables.get("sessions", [])
    rows = named(store.log, store.connection, "sessions", columns)
    found = {row["id"]: row for row in rows if text(row.get("id"))}
    return sorted(found.values(), key=lambda row: (stamp(row.get("created_at")) or 0, row["id"]))


def messages(store: Store, session: str) -> list[Written]:
    """A session's messages in the order in which they were inserted."""
    columns = store.tables.get("messages", [])
    if not {"session_id", "content_json"} <= set(columns):
        return []
    order = "order by id" if "id" in columns else ""
    where = f"where session_id = ? {order}"
    rows = named(store.log, store.connection, "messages", columns, where, (session,))
    return [_written(store, row) for row in rows]


def _written(store: Store, row: Mapping[str, Any]) -> Written:
    place = f"message {row.get('id')}"
    shown = mapping(json_of(store.log, row.get("metadata_json"), f"{place}, metadata"))
    created = stamp(row.get("created_timestamp")) or None  # 0: not known
    own = text(row.get("message_id"))
    return Written(
        key=f"{own}@{row.get('created_timestamp')}" if own else None,
        role=text(row.get("role")),
        content=_content(store, row.get("content_json"), place),
        ts=stamp(row.get("timestamp")) if created is None else created,
        user_visible=shown.get("userVisible") is not False,
        agent_visible=shown.get("agentVisible") is not False,
    )


def _content(store: Store, raw: Any, place: str) -> Any:
    """The blocks; what is no JSON list is a text."""
    if isinstance(raw, str) and raw and not raw.lstrip().startswith("["):
        return raw
    return decoded(store.log, raw, _ANY, place) or []


def json_of(log: Log, raw: Any, place: str) -> Any:
    """What a cell holds that may be NULL."""
    return decoded(log, raw, _ANY, place) if raw else None


def ledger(store: Store, session: str) -> list[dict[str, Any]]:
    """The model calls that were counted for a session, compactions among them."""
    columns = store.tables.get("usage_ledger", [])
    if "session_id" not in columns:
        return []
    order = "order by id" if "id" in columns else ""
    where = f"where session_id = ? {order}"
    return list(named(store.log, store.connection, "usage_ledger", columns, where, (session,)))


def delegating(store: Store, parent: str, row: Mapping[str, Any]) -> str | None:
    """The native id of the parent's call that started a session: one of the message it names."""
    told = mapping(
        json_of(store.log, row.get("parent_delegation"), f"session {row.get('id')}, delegation")
    )
    message = text(told.get("parent_delegate_message_id"))
    if message is None:
        return None
    quiet = store._replace(log=Log(store.log.home, store.log.host, store.log.path))
    calls = [
        (not _delegates(mapping(block)), f"{written.key}/{n}")
        for written in messages(quiet, parent)
        if (written.key or "").rpartition("@")[0] == message
        for n, block in enumerate(items(written.content))
        if mapping(block).get("type") in CALLS
    ]
    return min(calls, key=lambda call: call[0])[1] if calls else None


def _delegates(block: Mapping[str, Any]) -> bool:
    value = mapping(mapping(block.get("toolCall")).get("value"))
    return kind_of(text(value.get("name")) or "", mapping(value.get("arguments"))) == "agent"

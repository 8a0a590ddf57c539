"""A log that is read again: its stored rows made equal to what was read, writing only what differs."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

import msgspec

from siphon.columns import Column
from siphon.rows import COLUMNS, SESSION_COLUMNS, SLOTS, Batch, Row
from siphon.writer import (
    KEYED,
    LISTED,
    free_id,
    insert,
    insert_problems,
    new_session,
    update_session,
)

ROLLUPS = ("usage_hours", "activity_hours", "tool_hours", "spans", "session_files")  # of refresh
_IDS = {"messages": 0, "tool_calls": 0}  # where a row's own id stands among its values


class Changes:
    """What a replacement touched, for the copy pass: identities by table, and sessions."""

    def __init__(self) -> None:
        self.identities: dict[str, set[int]] = {table: set() for table in KEYED}
        self.sessions: set[int] = set()
        self.native_ids: set[tuple[str, str, str]] = set()  # host, source, native id
        self.rows = 0


def replace(
    connection: sqlite3.Connection,
    log: int,
    place: tuple[str, str],
    batches: Iterable[Batch],
    changes: Changes,
) -> tuple[int, int]:
    """Make the log's stored rows equal to `batches`; write only what differs.

    Returns (records, problems). Everything touched is noted in `changes`.
    """
    whole = merged(batches)
    sessions = _session_ids(connection, log, place, whole, changes)
    final: dict[str, dict[object, int]] = {"messages": {}, "tool_calls": {}}
    for table, point in (("messages", None), ("tool_calls", (1, "messages")), ("requests", None)):
        rows = _with_sessions(whole.tables[table], sessions, log)
        if point:
            rows = [_repoint(row, point[0], final[point[1]]) for row in rows]
        _replace_keyed(connection, table, sessions, rows, final.get(table, {}), changes)
    for table in LISTED:
        rows = _with_sessions(whole.tables[table], sessions, log)
        if table == "file_touches":
            rows = [_repoint(row, 0, final["tool_calls"]) for row in rows]
        _replace_listed(connection, table, sessions, rows, changes)
    _replace_notes(connection, log, whole)
    _drop_sessions(connection, log, set(sessions), changes)
    records = sum(len(whole.tables[table][0]) for table in KEYED if whole.tables[table])
    return records, len(whole.problems)


def merged(batches: Iterable[Batch]) -> Batch:
    """All of a log's batches as one."""
    parts = list(batches)
    return Batch(
        parts[-1].sessions,
        [fact for batch in parts for fact in batch.facts],
        {name: _joined([batch.tables[name] for batch in parts]) for name in COLUMNS},
        [problem for batch in parts for problem in batch.problems],
        [tally for batch in parts for tally in batch.tallies],
    )


def _joined(parts: list[list[Column]]) -> list[Column]:
    """A table's columns, of several batches."""
    return [list(chain.from_iterable(some)) for some in zip(*filter(None, parts), strict=True)]


def _with_sessions(columns: list[Column], sessions: list[int], log: int) -> list[Row]:
    """Rows, as they are stored, of a batch's columns."""
    if not columns:
        return []
    numbers, *values = columns
    ids = map(sessions.__getitem__, numbers)
    return list(zip(*values, ids, repeat(log, len(numbers)), strict=True))


def _repoint(row: Row, place: int, final: dict[object, int]) -> Row:
    return (*row[:place], final.get(row[place], row[place]), *row[place + 1 :])


def _session_ids(
    connection: sqlite3.Connection, log: int, place: tuple[str, str], whole: Batch, changes: Changes
) -> list[int]:
    """Ids of the batch's sessions; facts that differ are written."""
    names = ", ".join(SESSION_COLUMNS)
    stored = {
        row[1]: (row[0], row[2:])
        for row in connection.execute(
            f"select id, native_id, {names} from sessions where log_id = ?", [log]
        )
    }
    ids = []
    for name in whole.sessions:
        if name not in stored:
            stored[name] = (new_session(connection, log, place, name), ())
        ids.append(stored[name][0])
    for number, values in whole.facts:
        name = whole.sessions[number]
        if stored[name][1] != values:
            update_session(connection, ids[number], values)
            changes.sessions.add(ids[number])
            changes.native_ids.add((*place, name))
            changes.rows += 1
    return ids


def _replace_keyed(
    connection: sqlite3.Connection,
    table: str,
    sessions: list[int],
    rows: list[Row],
    final: dict[object, int],
    changes: Changes,
) -> None:
    """Insert, update and delete rows, known by session and seq; `final` gets new id → stored id."""
    own = table in _IDS
    names = (*COLUMNS[table], "session_id", "log_id")
    at = {name: place for place, name in enumerate(names)}
    stored = _stored(connection, table, names, sessions, at)
    new = insert(table, names)
    update = f"update {table} set {', '.join(f'{name} = ?' for name in names)} where id = ?"
    numbered = _Numbered(at)
    for row in rows:
        old = stored.pop(numbered.key(row), None)
        if old is not None and own and _second(row) == old[0] >> SLOTS:
            final[row[0]] = old[0]
            row = (old[0], *row[1:])
        if old is not None and old[1] == row:
            continue
        _note(changes, table, row, at)
        if old is not None:
            changes.identities[table].add(old[1][at["identity"]])  # type: ignore[arg-type]
            if not own or row[0] == old[0]:
                connection.execute(update, [*row, old[0]])
                _forget_marks(connection, table, old[0])
                continue
            _delete(connection, table, [old[0]])
        if own:
            wanted = free_id(connection, table, row[0])  # type: ignore[arg-type]  # ids are ints
            final[row[0]] = wanted
            row = (wanted, *row[1:])
        connection.execute(new, row)
    for old in stored.values():
        _note(changes, table, old[1], at)
    _delete(connection, table, [old[0] for old in stored.values()])


def _stored(
    connection: sqlite3.Connection,
    table: str,
    names: tuple[str, ...],
    sessions: list[int],
    at: dict[str, int],
) -> dict[Row, tuple[int, Row]]:
    """Rows of the sessions as the parser gave them: usage that another sighting raised is undone."""
    stored: dict[Row, tuple[int, Row]] = {}
    numbered = _Numbered(at)
    own = "own" if table == "requests" else "null"
    for session in sessions:
        query = f"select id, {own}, {', '.join(names)} from {table} where session_id = ? order by id"
        for key, raised, *values in connection.execute(query, [session]):
            if raised is not None:
                values = _lowered(values, raised, at)
            stored[numbered.key(values)] = (key, tuple(values))
    return stored


def _lowered(values: list[object], raised: str, at: dict[str, int]) -> list[object]:
    for name, value in msgspec.json.decode(raised, type=dict[str, int | str | None]).items():
        values[at[name]] = value
    return values


class _Numbered:
    """Keys of rows: (session, seq), and a count where several requests have one seq."""

    def __init__(self, at: dict[str, int]) -> None:
        self.session, self.seq = at["session_id"], at["seq"]
        self.counts: dict[Row, int] = {}

    def key(self, row: Sequence[object]) -> Row:
        place = (row[self.session], row[self.seq])
        count = self.counts[place] = self.counts.get(place, 0) + 1
        return (*place, count)


def _second(row: Row) -> int:
    key = row[0]
    assert isinstance(key, int)
    return key >> SLOTS


def _note(changes: Changes, table: str, row: Row, at: dict[str, int]) -> None:
    changes.rows += 1
    changes.identities[table].add(row[at["identity"]])  # type: ignore[arg-type]  # a hash
    changes.sessions.add(row[at["session_id"]])  # type: ignore[arg-type]  # an id


def _forget_marks(connection: sqlite3.Connection, table: str, key: int) -> None:
    if table == "requests":
        connection.execute("update requests set own = null where id = ?", [key])


def _delete(connection: sqlite3.Connection, table: str, keys: list[int]) -> None:
    """Delete rows and what points at them; pointers are set again by who still points.

    Copies of a deleted row keep pointing at it until the copy pass, which so sees that their standing
    changes, and their sessions' counts with it.
    """
    for key in keys:
        if table == "messages":
            connection.execute("update tool_calls set message_id = null where message_id = ?", [key])
        if table == "tool_calls":
            connection.execute("delete from file_touches where tool_call_id = ?", [key])
            connection.execute("update relations set tool_call_id = null where tool_call_id = ?", [key])
        connection.execute(f"delete from {table} where id = ?", [key])


def _replace_listed(
    connection: sqlite3.Connection, table: str, sessions: list[int], rows: list[Row], changes: Changes
) -> None:
    names = (*COLUMNS[table], "session_id", "log_id")
    wanted: dict[object, list[Row]] = {session: [] for session in sessions}
    for row in rows:
        wanted[row[-2]].append(row)
    for session, new in wanted.items():
        own = " and not derived" if table == "relations" else ""  # the others are the loader's
        query = f"select {', '.join(names)} from {table} where session_id = ?{own} order by id"
        if list(connection.execute(query, [session])) != new:
            connection.execute(f"delete from {table} where session_id = ?{own}", [session])
            connection.executemany(insert(table, names), new)
            changes.sessions.add(session)  # type: ignore[arg-type]  # an id
            changes.rows += len(new)


def _replace_notes(connection: sqlite3.Connection, log: int, whole: Batch) -> None:
    """Problems and tallies: few, so written anew where they differ."""
    problems = connection.execute(
        "select line, offset, what from problems where log_id = ? order by id", [log]
    ).fetchall()
    tallies = connection.execute("select type, fate, n from tallies where log_id = ?", [log]).fetchall()
    if problems != whole.problems or sorted(tallies) != sorted(whole.tallies):
        for table in ("problems", "tallies"):
            connection.execute(f"delete from {table} where log_id = ?", [log])
        insert_problems(connection, log, whole)


def _drop_sessions(connection: sqlite3.Connection, log: int, kept: set[int], changes: Changes) -> None:
    """Delete the log's sessions that it no longer tells of."""
    rows = connection.execute("select id, host, source, native_id from sessions where log_id = ?", [log])
    for session, *place in rows.fetchall():
        if session not in kept:
            drop_session(connection, session, changes)
            changes.native_ids.add((place[0], place[1], place[2]))


def drop_session(connection: sqlite3.Connection, session: int, changes: Changes) -> None:
    for table in KEYED:
        found = connection.execute(
            f"select id, identity from {table} where session_id = ?", [session]
        ).fetchall()
        changes.identities[table].update(row[1] for row in found)
        changes.rows += len(found)
        _delete(connection, table, [row[0] for row in found])
    for table in ("file_touches", "relations", *ROLLUPS):
        connection.execute(f"delete from {table} where session_id = ?", [session])
    connection.execute("update relations set target_id = null where target_id = ?", [session])
    connection.execute("update sessions set copy_of = null where copy_of = ?", [session])
    connection.execute("delete from sessions where id = ?", [session])
    changes.sessions.discard(session)


def drop_log(connection: sqlite3.Connection, log: int, changes: Changes) -> None:
    """Forget a log that the archive no longer holds, or that no source reads any more."""
    _drop_sessions(connection, log, set(), changes)
    for table in ("problems", "tallies"):
        connection.execute(f"delete from {table} where log_id = ?", [log])
    connection.execute("delete from logs where id = ?", [log])

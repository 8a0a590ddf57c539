"""The one writer: a log's rows into the database, in bulk; replacing.py writes only what differs."""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from operator import length_hint
from typing import TYPE_CHECKING, NamedTuple

from siphon.columns import Column
from siphon.rows import COLUMNS, SESSION_COLUMNS, Batch, Row

if TYPE_CHECKING:
    import apsw

    Connection = sqlite3.Connection | apsw.Connection  # apsw's where a whole database is built

KEYED = ("messages", "tool_calls", "requests")  # rows known by (session, seq), kept when unchanged
LISTED = ("file_touches", "relations")  # small rows, replaced as a whole where any differs

# sqlite3 looks up how to adapt every value that is no plain int, float or str: for None and bool it asks
# two objects for methods in vain, which costs more than all the rest of a row. Here it finds at once
# that they stay what they are ({}.get of None is None; written in C).
sqlite3.register_adapter(type(None), {}.get)  # type: ignore[arg-type]  # called with None alone
sqlite3.register_adapter(bool, int)


class LogState(NamedTuple):
    """What is stored of a log beside its rows; fields are the columns of `logs`."""

    host: str
    source: str
    path: str
    generation: int
    size: int
    mtime: int | None
    source_version: int
    reads: str
    loaded_at: int


@lru_cache(1024)
def insert(table: str, columns: tuple[str, ...]) -> str:
    return f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"


def log_id(connection: sqlite3.Connection, state: LogState) -> int:
    """The id of the log's row, made if it is new."""
    connection.execute("insert or ignore into hosts (name) values (?)", [state.host])
    row = connection.execute(
        "select id from logs where host = ? and path = ?", [state.host, state.path]
    ).fetchone()
    if row is not None:
        return int(row[0])
    names = ", ".join(LogState._fields)
    cursor = connection.execute(
        f"insert into logs ({names}, records, problems) values (?,?,?,?,?,?,?,?,?,0,0)", state
    )
    return int(cursor.lastrowid or 0)


def finish_log(
    connection: sqlite3.Connection,
    log: int,
    state: LogState,
    counts: tuple[int, int] | None,
    error: str | None,
) -> None:
    """Store what was read of the log; `counts` (records, problems), None: as they were."""
    sets = ", ".join(f"{name} = ?" for name in LogState._fields)
    # Another generation, or another version of the parser, begins to count anew.
    tries = (
        "case when ? is null then 0 when (generation, source_version) = (?, ?) then tries + 1 else 1 end"
    )
    counted = [error, state.generation, state.source_version]
    connection.execute(
        f"update logs set {sets}, error = ?, tries = {tries} where id = ?",
        [*state, error, *counted, log],
    )
    if counts is not None:
        connection.execute("update logs set records = ?, problems = ? where id = ?", [*counts, log])


class Bulk:
    """Appends the batches of one log that the database does not hold yet."""

    def __init__(
        self,
        connection: "Connection",
        log: int,
        place: tuple[str, str],
        session_ids: Iterator[int] | None = None,
    ) -> None:
        """`place`: host and source. `session_ids`: None leaves them to SQLite."""
        self.connection = connection
        self.log = log
        self.place = place
        self.session_ids = session_ids
        self.sessions: list[int] = []
        self.moved: dict[str, dict[int, int]] = {"messages": {}, "tool_calls": {}}
        self.records = self.problems = 0

    def write(self, batch: Batch) -> None:
        self._sessions(batch.sessions)
        for number, values in batch.facts:
            update_session(self.connection, self.sessions[number], values)
        for table, columns in batch.tables.items():
            if columns:
                self._rows(table, columns)
        insert_problems(self.connection, self.log, batch)
        self.problems += len(batch.problems)

    def undo(self) -> None:
        """Take back what was written of a log whose parser failed."""
        for session in self.sessions:
            for table in (*KEYED, *LISTED):
                self.connection.execute(f"delete from {table} where session_id = ?", [session])
            self.connection.execute("delete from sessions where id = ?", [session])
        for table in ("problems", "tallies"):
            self.connection.execute(f"delete from {table} where log_id = ?", [self.log])

    def _sessions(self, names: list[str]) -> None:
        for name in names[len(self.sessions) :]:
            key = None if self.session_ids is None else next(self.session_ids)
            self.sessions.append(new_session(self.connection, self.log, self.place, name, key))

    def _rows(self, table: str, columns: list[Column]) -> None:
        """Insert a table's rows; what all of them leave NULL is not bound."""
        numbers, *values = columns
        if table == "tool_calls":
            values[1] = self._pointed(values[1], "messages")
        elif table == "file_touches":
            values[0] = self._pointed(values[0], "tool_calls")
        if table in KEYED:
            self.records += len(numbers)
        told = {
            name: _bound(column)
            for name, column in zip(COLUMNS[table], values, strict=True)
            if column[0] is not None or column.count(None) < len(column)
        }
        told["session_id"] = list(map(self.sessions.__getitem__, numbers))
        told["log_id"] = [self.log] * len(numbers)
        self._insert(table, insert(table, tuple(told)), list(told.values()))

    def _pointed(self, column: Column, table: str) -> Column:
        moved = self.moved[table]
        return [moved.get(key, key) for key in column] if moved else column

    def _insert(self, table: str, statement: str, columns: list[Column]) -> None:
        """Insert rows; one whose id another log took goes to the next free id."""
        while True:
            ids = iter(columns[0])
            try:
                self.connection.executemany(statement, zip(ids, *columns[1:], strict=True))
                return
            except _refusal(self.connection):
                (old, *keys), *columns = (column[-1 - length_hint(ids) :] for column in columns)
                new = self.moved[table][old] = free_id(self.connection, table, old)
                columns = [[new, *keys], *columns]


def _refusal(connection: "Connection") -> type[Exception]:
    """What tells that an id is taken."""
    if isinstance(connection, sqlite3.Connection):
        return sqlite3.IntegrityError
    import apsw  # only who has such a connection has paid for it

    return apsw.ConstraintError


def _bound(column: Column) -> Column:
    """As sqlite3 binds it at once: bools it would have to adapt."""
    return list(map(int, column)) if isinstance(column[0], bool) else column


def free_id(connection: "Connection", table: str, wanted: int) -> int:
    """The first id from `wanted` on that no row has."""
    while connection.execute(f"select 1 from {table} where id = ?", [wanted]).fetchone():
        wanted += 1
    return wanted


def new_session(
    connection: "Connection",
    log: int,
    place: tuple[str, str],
    native_id: str,
    key: int | None = None,
) -> int:
    """A session's row, its uid provisional until `copies.name_sessions`."""
    ((session,),) = connection.execute(
        "insert into sessions (id, uid, host, source, native_id, log_id, kind)"
        " values (?, ?, ?, ?, ?, ?, 'main') returning id",
        [key, f"?{log}/{native_id}", *place, native_id, log],
    )
    return int(session)


def update_session(connection: "Connection", session: int, values: Row) -> None:
    sets = ", ".join(f"{name} = ?" for name in SESSION_COLUMNS)
    connection.execute(f"update sessions set {sets} where id = ?", [*values, session])


def insert_problems(connection: "Connection", log: int, batch: Batch) -> None:
    if batch.problems:
        connection.executemany(
            "insert into problems (line, offset, what, log_id) values (?, ?, ?, ?)",
            [(*problem, log) for problem in batch.problems],
        )
    if batch.tallies:
        connection.executemany(
            "insert into tallies (type, fate, n, log_id) values (?, ?, ?, ?)"
            " on conflict do update set n = n + excluded.n",
            [(*tally, log) for tally in batch.tallies],
        )

"""A connection for a limited reader, in which every table holds their rows and no others.

Each table is hidden behind a temporary view of its name (auth_rules.py tells of which rows), and the
database's own views are made anew above these, so that SQL for the whole database works unchanged.
Nothing can forget the limits: SQLite itself refuses to read a table but through its view, and a table
or full-text index that no rule knows is empty.
"""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from siphon import auth_rules
from siphon.auth_rules import Limits
from siphon.errors import SiphonError
from siphon.mapped import mapped

T = TypeVar("T")
_IDLE = 8  # connections that are kept open for the next request
_MIXED = "mixed_logs"  # a view of the logs that hold more than the reader may see
_INDEX = re.compile(r"(\w+_fts)_(config|content|data|docsize|idx)")
# Tables that SQLite makes up for a function in a query, and what it knows of the indexes.
_MADE_UP = ("json_each", "json_tree", "sqlite_stat1", "sqlite_stat4")
_HARMLESS = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
)


def limited(path: Path, limits: Limits) -> sqlite3.Connection:
    """A connection that reads only what is in the limits. Raises SiphonError without a database."""
    return _made(path, limits).connection


def _made(path: Path, limits: Limits) -> "_Reader":
    connection = _opened(path)
    connection.executescript(auth_rules.TABLES)
    for table, names in (("limit_hosts", limits.hosts), ("limit_projects", limits.projects)):
        given = [(name,) for name in dict.fromkeys(names or ())]
        connection.executemany(f"insert into temp.{table} values (?)", given)
    hidden = frozenset(_hide(connection, limits))
    for _, sql in _of_type(connection, "view"):
        connection.execute(re.sub(r"(?i)^create\s+view", "create temp view", sql, count=1))
    for made_up in ("json_each", "json_tree"):  # made once, for which more is needed than to read
        connection.execute(f"select 1 from {made_up}('[]')")
    others = auth_rules.whole_log(limits, "l.id")
    connection.execute(f"create temp view {_MIXED} as select l.id from main.logs l where not {others}")
    connection.row_factory = sqlite3.Row
    reader = _Reader(limits, connection, _guard(hidden | {_MIXED}))
    reader.look_up()
    return reader


def is_limited(connection: sqlite3.Connection) -> bool:
    """Whether the connection is a limited reader's: then tell nothing that does not come out of it."""
    sql = "select 1 from temp.sqlite_master where name = ?"
    return connection.execute(sql, [_MIXED]).fetchone() is not None


def holds_others(connection: sqlite3.Connection, log: int) -> bool:
    """Whether the log, as a whole, tells of sessions that this connection does not show."""
    if not is_limited(connection):
        return False
    return connection.execute(f"select 1 from temp.{_MIXED} where id = ?", [log]).fetchone() is not None


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only, for whichever thread the next request runs in."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise SiphonError(f"{path}: cannot open the database: {error}") from None
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    connection.execute("pragma temp_store = memory")
    mapped(connection)
    return connection


def _hide(connection: sqlite3.Connection, limits: Limits) -> Iterator[str]:
    """Put a view before every table; yield their names."""
    columns = {name: _columns(connection, name) for name, _ in _of_type(connection, "table")}
    for name, sql in _of_type(connection, "table"):
        if name.startswith("sqlite_") or _INDEX.fullmatch(name):
            continue
        if re.search(r"\busing fts5\b", sql, re.IGNORECASE):
            table = name.removesuffix("_fts")
            shown = [f"x.{one}" for one in (*columns[name], "rowid", name, "rank")]
            where = auth_rules.words(table, columns.get(table, ()))
        else:
            shown = [auth_rules.column(name, one, limits) for one in columns[name]]
            where = auth_rules.rows(name, columns[name], limits)
        names = (*columns[name], "rowid", name, "rank")
        listed = ", ".join(f'{sql} as "{one}"' for sql, one in zip(shown, names, strict=False))
        connection.execute(
            f"create temp view {name} as select {listed} from main.{name} x where {where}"
        )
        yield name


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    found = connection.execute("select name from pragma_table_info(?, 'main')", [table])
    return [row[0] for row in found]


def _of_type(connection: sqlite3.Connection, kind: str) -> list[tuple[str, str]]:
    """Names and SQL, in the order in which they were made."""
    sql = "select name, sql from main.sqlite_master where type = ? and sql is not null order by rowid"
    return connection.execute(sql, [kind]).fetchall()


def _guard(hidden: frozenset[str]) -> Callable[..., int]:
    """What SQLite asks before it compiles a statement: tables are read by their views alone."""

    def guard(act: int, name: str | None, what: str | None, schema: str | None, by: str | None) -> int:
        if act in _HARMLESS:
            return sqlite3.SQLITE_OK
        if act == sqlite3.SQLITE_READ:
            # No column: rows are counted, by a view that SQLite has merged into the statement.
            return _may(schema == "temp" or by in hidden or what == "" or _own(str(name), by))
        if act == sqlite3.SQLITE_FUNCTION:
            return _may(what != "load_extension")
        return _may(act == sqlite3.SQLITE_PRAGMA and name in ("data_version", "schema_version"))

    return guard


def _own(name: str, by: str | None) -> bool:
    """What SQLite reads by itself: the parts of a full-text index."""
    return by is None and (name in _MADE_UP or _INDEX.fullmatch(name) is not None)


def _may(right: bool) -> int:
    return sqlite3.SQLITE_OK if right else sqlite3.SQLITE_DENY


class _Reader:
    """A limited reader's connection, and which states of the database it was made for."""

    def __init__(
        self, limits: Limits, connection: sqlite3.Connection, guard: Callable[..., int]
    ) -> None:
        self.limits = limits
        self.connection = connection
        self.guard = guard
        self.layout = _layout(connection)  # the tables that it knows
        self.looked: int | None = None  # the state whose sessions it holds

    def look_up(self) -> None:
        """Hold the sessions in the limits as they are now, or in the transaction that is open.

        Where that fails nothing is asked, and the next one to ask looks them up again.
        """
        found = self.connection.execute("pragma data_version").fetchone()[0]
        if found == self.looked:
            return
        self.looked = None
        self.connection.set_authorizer(None)
        try:
            self.connection.execute("delete from temp.limit_sessions")
            self.connection.execute(auth_rules.sessions(self.limits))
        finally:
            self.connection.set_authorizer(self.guard)
        self.looked = found

    def ask(self, what: Callable[[sqlite3.Connection], T]) -> T:
        """What is found in one state of the database, of the sessions in the limits in that state."""
        self.connection.execute("begin")
        try:
            self.look_up()
            return what(self.connection)
        finally:
            if self.connection.in_transaction:  # not where it was interrupted as it wrote
                self.connection.execute("commit")


class Readers:
    """The connections of limited readers: made when one first asks, and kept for the next request."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.lock = threading.Lock()
        self.idle: list[_Reader] = []

    def read(self, limits: Limits, ask: Callable[[sqlite3.Connection], T]) -> T:
        """What `ask` finds, all of it in one state of the database; any thread may call."""
        reader = self._taken(limits)
        try:
            return reader.ask(ask)
        finally:
            self._back(reader)

    def _taken(self, limits: Limits) -> _Reader:
        with self.lock:
            found = next((one for one in self.idle if one.limits == limits), None)
            if found is not None:
                self.idle.remove(found)
        if found is not None:
            if _layout(found.connection) == found.layout:
                return found
            found.connection.close()  # the database has been built anew
        return _made(self.database, limits)

    def _back(self, reader: _Reader) -> None:
        with self.lock:
            self.idle.append(reader)
            over = self.idle[: max(0, len(self.idle) - _IDLE)]
            del self.idle[: len(over)]
        for one in over:
            one.connection.close()

    def close(self) -> None:
        """Close what is idle."""
        with self.lock:
            for one in self.idle:
                one.connection.close()
            self.idle.clear()


def _layout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma schema_version").fetchone()[0])

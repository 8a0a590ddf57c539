"""siphon.db: how it is opened, laid out, built beside the old one and published over it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from siphon.errors import SiphonError

if TYPE_CHECKING:
    import apsw

LAYOUT = ("schema.sql", "indexes.sql", "fts.sql", "views.sql", "report_views.sql", "coverage.sql")
_IN_BULK = (  # nothing is journalled: what fails is thrown away
    "pragma page_size = 8192; pragma journal_mode = off; pragma synchronous = off;"
    "pragma locking_mode = exclusive; pragma cache_size = -{}; pragma temp_store = file;"
    "pragma mmap_size = 134217728;"  # what is built is read again and again, beyond the cache
)
_FTS = ("messages_fts", "tool_calls_fts")
_FTS_HASH = (1 << 20, 16 << 20)  # bytes of postings held in memory: SQLite's own, and in bulk
_FTS_MERGE = (4, 16)  # segments of a level before they are merged: SQLite's own, and in bulk
_FTS_PAGES = 128  # that a load merges beyond what SQLite does by itself
_SMALL = (  # read whole by `analyze`: estimates wrong by half make SQLite take the wrong index
    "sessions", "logs", "projects", "relations", "usage_hours", "activity_hours", "tool_hours",
)  # fmt: skip


def script(name: str) -> str:
    """The text of one of the package's .sql files."""
    return files("siphon").joinpath(name).read_text()


def layout() -> str:
    """Hash of everything that shapes the database: another layout means rebuild."""
    return blake2b("\0".join(map(script, LAYOUT)).encode(), digest_size=8).hexdigest()


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """A connection; raises SiphonError if the database cannot be opened or is not there."""
    mode = "rwc" if write else "ro"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=60, isolation_level=None
        )
        connection.execute("pragma schema_version")
    except sqlite3.Error as error:
        hint = "" if path.exists() else "; `siphon load` makes it"
        raise SiphonError(f"{path}: cannot open the database: {error}{hint}") from None
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    if write:
        connection.executescript("pragma journal_mode = wal; pragma synchronous = normal;")
    return connection


def current(path: Path) -> bool:
    """Whether a database of today's layout is there."""
    if not path.exists():
        return False
    try:
        with closing(connect(path)) as connection:
            found = connection.execute("select value from meta where key = 'layout'").fetchone()
    except (SiphonError, sqlite3.Error):
        return False
    return found is not None and found[0] == layout()


def run(connection: sqlite3.Connection, sql: str) -> None:
    """Execute the statements of a script; unlike executescript it commits nothing by itself."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    if statement.strip():
        connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # after some errors SQLite has ended it
            connection.execute("rollback")
        raise
    connection.execute("commit")


def start_build(path: Path) -> sqlite3.Connection:
    """An empty database beside `path` to load into in bulk: tables only, nothing journalled."""
    clear_build(path)
    return open_build(path)


def clear_build(path: Path) -> None:
    """Remove what a load that was killed left beside `path`."""
    for left in path.parent.glob(f"{building(path).name}*"):
        left.unlink()


def open_build(path: Path) -> sqlite3.Connection:
    """What is built beside `path`, or an empty database if nothing is."""
    return _bulk(building(path), cache=64_000)


def start_part(path: Path) -> "apsw.Connection":
    """An empty database of the same tables, a part of what is built, with a transaction open.

    Of apsw: the SQLite that it brings writes rows in two thirds of the time of most systems' own.
    """
    connection = _newer(path, 16_000, script("schema.sql"))
    connection.execute("begin")
    return connection


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """What apsw raises in the block becomes sqlite3's, which all who build a database expect."""
    import apsw  # few loads are as large as to come here

    try:
        yield
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error


def _newer(path: Path, cache: int, sql: str) -> "apsw.Connection":
    """A connection of apsw to what is built, after it executed a script."""
    import apsw  # few loads are as large as to come here

    connection = apsw.Connection(str(path))
    for _ in connection.execute(_IN_BULK.format(cache) + sql):
        pass  # what a pragma says
    return connection


def _bulk(path: Path, cache: int) -> sqlite3.Connection:
    empty = not path.exists()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(_IN_BULK.format(cache))
    if empty:
        connection.executescript(script("schema.sql"))
    return connection


def building(path: Path) -> Path:
    return path.with_name(f".{path.name}.building")


def part(path: Path, place: int) -> Path:
    """Where a worker writes its share of what is built."""
    return path.with_name(f".{path.name}.building-{place}")


def index(connection: sqlite3.Connection) -> None:
    """Secondary indexes of a bulk load."""
    connection.executescript(script("indexes.sql"))


def index_text(path: Path) -> None:
    """Views, the full-text tables and their triggers in what is built beside `path`.

    All text is read once, by apsw, which is faster here too, by a tenth.
    """
    with sqlite_errors(), closing(_newer(building(path), 64_000, script("fts.sql"))) as connection:
        for table in _FTS:
            _set(connection, table, "hashsize", _FTS_HASH[1])
            _set(connection, table, "automerge", _FTS_MERGE[1])
            connection.execute(f"insert into {table}({table}) values ('rebuild')")
            _set(connection, table, "hashsize", _FTS_HASH[0])
            _set(connection, table, "automerge", _FTS_MERGE[0])


def merge_text(connection: sqlite3.Connection) -> None:
    """Go on merging what small loads have added to the full-text indexes, a little at a time.

    Each load adds a segment, and SQLite merges as much as was written: while it is at work on the large
    segments of a bulk load, thousands of small ones would pile up, and a search looks into each.
    """
    for table in _FTS:
        _set(connection, table, "merge", _FTS_PAGES)


def _set(
    connection: "sqlite3.Connection | apsw.Connection", table: str, option: str, value: int
) -> None:
    """An option of a full-text table, or a command with a number."""
    connection.execute(f"insert into {table}({table}, rank) values (?, ?)", [option, value])


def seal(connection: sqlite3.Connection) -> None:
    for views in ("views.sql", "report_views.sql", "coverage.sql"):
        connection.executescript(script(views))
    connection.execute("insert or replace into meta values ('layout', ?)", [layout()])
    connection.executescript("pragma analysis_limit = 1000; analyze; pragma analysis_limit = 0;")
    for table in _SMALL:
        connection.execute(f"analyze {table}")


def publish(path: Path) -> None:
    """Put the database built beside in the place of `path`, over readers that hold it open.

    They see the new tables at their next statement.
    """
    beside = building(path)
    if path.exists() and _is_database(path):
        with closing(sqlite3.connect(beside)) as new, closing(connect(path, write=True)) as old:
            _same_page_size(old)
            new.backup(old, pages=-1)
            old.execute("pragma wal_checkpoint(truncate)")
        beside.unlink()
    else:
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        beside.replace(path)
    path.chmod(0o600)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) in (b"SQLite format 3\0",)


def _same_page_size(old: sqlite3.Connection) -> None:
    """The backup API cannot change the page size of a database in WAL mode."""
    if old.execute("pragma page_size").fetchone()[0] != 8192:
        old.executescript("pragma journal_mode = delete; pragma page_size = 8192; vacuum;")

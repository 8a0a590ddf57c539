"""The archive's own book: which logs it holds, where, with which hash, and who was collected when."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from siphon import private, seal
from siphon.errors import SiphonError

VERSION = 2
_STEPS = ("ledger_2.sql",)  # from version 1 to 2, 2 to 3 …: the one thing of ours that cannot be rebuilt
_PATIENCE_SECONDS = 60  # for another process to finish its transaction


class Entry(NamedTuple):
    """A log as the archive holds it now. Its file ends, for readers, after `size` bytes."""

    id: int
    host: str
    path: str
    generation: int
    size: int
    mtime: int | None  # ms
    stamp: str | None  # as listed when it was last read; None: compare contents
    sha256: str
    place: str  # the file, below the archive
    gone_at: int | None  # ms
    pruned_at: int | None  # ms: when its bytes were deleted on demand; None: they are here


class HostState(NamedTuple):
    """When a host was collected; times in ms."""

    name: str
    collected_at: int | None  # last success
    attempted_at: int
    error: str | None  # of the last attempt


class Run(NamedTuple):
    """One run, as in the table runs; an id is given when it is recorded."""

    kind: str  # collect, load, verify, prune, pack
    started_at: int
    host: str | None = None
    ended_at: int | None = None
    outcome: str = "running"  # ok, error, running
    logs_seen: int | None = None
    logs_changed: int | None = None
    bytes: int | None = None
    problems: int | None = None
    error: str | None = None
    reachable: bool | None = None  # this and the next five: of a collect
    transport: str | None = None
    tools: str | None = None  # how logs were listed, and what was found there to do it
    wire: int | None = None  # bytes over the network, both ways
    left_logs: int | None = None  # left for the next one by the host's limit
    left_bytes: int | None = None
    id: int | None = None


ENTRY = ", ".join(Entry._fields)
RUN = ", ".join(Run._fields)


class Ledger:
    """Opens the book when first asked, once in each thread and process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()

    def __reduce__(self) -> tuple[type["Ledger"], tuple[Path]]:
        return Ledger, (self.path,)

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection; an inherited one must not be used after a fork."""
        if getattr(self._mine, "pid", None) != os.getpid():
            self._mine.db, self._mine.pid = _opened(self.path), os.getpid()
        connection: sqlite3.Connection = self._mine.db
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing. Raises SiphonError where the disk, say, is full."""
        with self._alone() as db:
            seal.take_off(self.path)
            yield db
            db.execute("commit")

    def seal(self) -> None:
        """Let `verify` know that the ledger is as it should be; see siphon/seal.py."""
        with self._alone():
            seal.put_on(self.path)

    def broken(self) -> bool:
        """Whether its bytes are others than those that were written."""
        with self._alone():
            return seal.broken(self.path)

    def keep_broken(self) -> None:
        """Before more is written: remember what is broken by now."""
        with self._alone():
            seal.keep_broken(self.path)

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        """Keep others from writing."""
        db = self.db
        try:
            db.execute("begin immediate")
            yield db
        except (sqlite3.DatabaseError, OSError) as error:
            raise SiphonError(f"{self.path}: the archive's ledger cannot be written: {error}") from error
        finally:
            if db.in_transaction:
                db.execute("rollback")

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """All rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def entry(self, host: str, path: str) -> Entry | None:
        """The log, if the archive has ever held it, pruned or not."""
        sql = f"select {ENTRY} from logs where host = ? and path = ?"
        row = self.db.execute(sql, (host, path)).fetchone()
        return Entry(*row) if row else None

    def entries(self, host: str) -> dict[str, Entry]:
        """All of a host's logs by path, the pruned too: their stamps tell whether they changed."""
        rows = self.db.execute(f"select {ENTRY} from logs where host = ?", (host,))
        return {row[2]: Entry._make(row) for row in rows}

    def known(self, host: str, paths: Sequence[str]) -> dict[str, Entry]:
        """Those of these logs that the archive has ever held, by path."""
        sql = f"""select {ENTRY} from logs where host = ? and path in (select value from json_each(?))"""
        asked = msgspec.json.encode(paths).decode()
        return {row[2]: Entry._make(row) for row in self.db.execute(sql, (host, asked))}

    def names(self, place: str) -> bool:
        """Whether a log or a generation lies there."""
        sql = """select exists (select 1 from logs where place = ?1)
            or exists (select 1 from generations where place = ?1)"""
        ((known,),) = self.rows(sql, place)
        return bool(known)

    def paths(self, host: str, folder: str) -> list[str]:
        """All paths held below a folder ("" for the home), sorted."""
        if not folder:
            sql = "select path from logs where host = ? and pruned_at is null order by path"
            rows = self.rows(sql, host)
        else:
            sql = """select path from logs where host = ? and path > ? and path < ?
                and pruned_at is null order by path"""
            rows = self.rows(sql, host, folder + "/", folder + "0")  # "0" follows "/"
        return [path for (path,) in rows]

    def restamp(self, stamps: Mapping[int, tuple[str | None, int | None]]) -> None:
        """Remember, by id, how logs are listed now (stamp, mtime) though their bytes are the same."""
        rows = [(stamp, mtime, id) for id, (stamp, mtime) in stamps.items()]
        sql = "update logs set stamp = ?, mtime = ?, gone_at = null, last_seen = null where id = ?"
        with self.write() as db:
            db.executemany(sql, rows)

    def note_gone(self, ids: list[int], at: int | None) -> None:
        """Note that logs are no longer on their host; None: that they are there again."""
        sql = """update logs set gone_at = ?1, last_seen = case when ?1 is not null then
            (select collected_at from hosts where name = host) end where id = ?2"""
        with self.write() as db:
            db.executemany(sql, [(at, id) for id in ids])

    def record_run(self, run: Run) -> Run:
        """Write the run down: a new row if it has no id yet. Returns it with its id."""
        marks = ", ".join("?" * len(run))
        with self.write() as db:
            id = db.execute(f"insert or replace into runs ({RUN}) values ({marks})", run).lastrowid
        return run._replace(id=id)

    def record_host(self, host: str, at: int, error: str | None) -> None:
        """Remember the end of a collect; an error leaves the last success standing."""
        sql = """insert into hosts (name, collected_at, attempted_at, error) values (?, ?, ?, ?)
            on conflict (name) do update set
                collected_at = coalesce(excluded.collected_at, collected_at),
                attempted_at = excluded.attempted_at,
                error = excluded.error"""
        with self.write() as db:
            db.execute(sql, (host, None if error else at, at, error))

    def note_heard(self, host: str, at: int) -> None:
        """Remember when a machine last pushed; a collect of it has been recorded."""
        with self.write() as db:
            db.execute("update hosts set heard_at = ? where name = ?", (at, host))


def _opened(path: Path) -> sqlite3.Connection:
    try:
        db = _connection(path)
        _ready(db, path)
    except (sqlite3.Error, OSError) as error:
        raise SiphonError(f"{path}: the archive's ledger cannot be opened: {error}") from error
    return db


def _connection(path: Path) -> sqlite3.Connection:
    # SQLite would create it readable by all; its -wal and -shm take over the mode. One that is there
    # is not opened so: closing it would drop the locks that other threads hold through SQLite.
    if not path.exists():
        with suppress(FileExistsError):  # another process makes it
            private.create(path).close()
    db = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    return db


def _ready(db: sqlite3.Connection, path: Path) -> None:
    """Create the tables in a new book, bring an older one up to date; refuse one of a later siphon."""
    (version,) = db.execute("pragma user_version").fetchone()
    if version > VERSION:
        raise SiphonError(f"{path}: written by a newer siphon (version {version}); upgrade siphon")
    if version == VERSION:
        return
    db.execute("begin immediate")
    seal.take_off(path)
    (version,) = db.execute("pragma user_version").fetchone()  # another process may have done it
    for script in ["ledger.sql"] if version == 0 else _STEPS[version - 1 :]:
        for statement in (files("siphon") / script).read_text().split(";\n"):
            db.execute(statement)
    db.execute(f"pragma user_version = {VERSION}")
    db.execute("commit")

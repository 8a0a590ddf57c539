"""archive → records → database: reads what has changed, writes what differs (design §3-§6)."""

import fcntl
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

from siphon import copies, db, hugepages, outcomes, parts, runs, stale
from siphon.archive import Archive
from siphon.errors import SiphonError
from siphon.ledger import Run
from siphon.loaded import Loaded, Progress, Tally, silent
from siphon.parsing import Parsed, parsed, price_table, workers
from siphon.refresh import refresh
from siphon.replacing import Changes, drop_log, replace
from siphon.reprice import outdated, reprice, store_prices
from siphon.rows import Batch
from siphon.sources import sources
from siphon.stale import Job, Stock
from siphon.writer import Bulk, LogState, finish_log, log_id

CHUNK = 64 << 20  # bytes of logs replaced in one transaction
REBUILD_SHARE = 0.5  # of the archive's bytes: where more has changed, building anew is cheaper


def load(
    archive: Archive,
    database: Path,
    *,
    rebuild: bool = False,
    skip: Iterable[str] = (),
    tries: int | None = None,
    progress: Progress = silent,
) -> Loaded:
    """Bring the database up to date with the archive. Raises SiphonError if another load runs.

    A log whose parser failed `tries` times in a row is quarantined: not tried again (None: always).
    """
    started = _now()
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(database):
        stock = Stock(archive.held(), archive.home)
        wanted = stale.jobs(stock, sources(), skip)
        todo = _todo(database, stock, wanted, rebuild, tries)
        with _told_where(database):
            if todo is None:
                with hugepages.asked() if workers(wanted) > 1 else nullcontext():
                    done = _build(archive, database, stock, wanted, progress)
            else:
                done = _update(archive, database, stock, wanted, todo, progress)
        if done.changed or done.rebuilt:
            archive.record_run(_run(done, started))
        runs.copy(archive, database)
        outcomes.copy(archive, database)
    return done


@contextmanager
def _told_where(database: Path) -> Iterator[None]:
    """What SQLite cannot write is an error of one line."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise SiphonError(
            f"{database}: cannot write: {error}; what it held before stays (is the disk full?)"
        ) from error


def _now() -> int:
    return time.time_ns() // 1_000_000


def _run(done: Loaded, started: int) -> Run:
    return Run(
        kind="load",
        started_at=started,
        ended_at=_now(),
        outcome="error" if done.failed else "ok",
        logs_seen=done.logs,
        logs_changed=done.changed,
        bytes=done.bytes,
        problems=done.problems,
        error=f"{len(done.failed)} logs failed" if done.failed else None,
    )


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Two loads never write one database. A lock of the process, not of a file that workers inherit."""
    with database.with_name(f".{database.name}.lock").open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SiphonError(f"{database}: another load is writing it; wait for it to end") from None
        yield


def _todo(
    database: Path, stock: Stock, wanted: list[Job], rebuild: bool, tries: int | None
) -> list[Job] | None:
    """The logs to read again; None: build the whole anew."""
    if rebuild or not db.current(database):
        return None
    with closing(db.connect(database)) as connection:
        todo = stale.changed(connection, stock, wanted, tries)
    share = sum(job.held.size for job in todo) / max(1, sum(job.held.size for job in wanted))
    return None if share > REBUILD_SHARE and len(todo) > 100 else todo


def _build(
    archive: Archive, database: Path, stock: Stock, wanted: list[Job], progress: Progress
) -> Loaded:
    """Load everything into a new database beside, then publish it over the old one."""
    tally = Tally(wanted, progress)
    read = _load_in_parts if workers(wanted) > 1 else _load_here
    read(archive.root, database, stock, wanted, tally)
    with closing(db.open_build(database)) as connection:
        store_prices(connection, price_table(archive.root))
        db.index(connection)
        connection.execute("begin")
        copies.mark_all(connection, price_table(archive.root))
        refresh(connection, archive.repos())
        connection.execute("commit")
    db.index_text(database)
    with closing(db.open_build(database)) as connection:
        db.seal(connection)
    db.publish(database)
    return tally.loaded(len(wanted), rebuilt=True)


def _load_here(archive: Path, database: Path, stock: Stock, wanted: list[Job], tally: Tally) -> None:
    with closing(db.start_build(database)) as connection, db.transaction(connection):
        for job, batches in parsed(archive, wanted):
            log = log_id(connection, _state(job, "[]"))
            bulk = Bulk(connection, log, (job.held.host, job.source))
            end = parts.appended(bulk, batches)
            state = _state(job, stale.reads_json(stock, job.held.host, end.reads))
            finish_log(connection, log, state, (bulk.records, bulk.problems), end.error)
            tally.add(job, bulk.records, bulk.problems, end.error)


def _load_in_parts(archive: Path, database: Path, stock: Stock, wanted: list[Job], tally: Tally) -> None:
    tasks = [parts.Task(job, log) for log, job in enumerate(wanted, 1)]
    ends: dict[parts.Task, parts.Written] = {}
    for task, end in parts.load(archive, database, tasks):
        if task not in ends:
            tally.reached(task.job)
        ends[task] = end
    with closing(db.open_build(database)) as connection, db.transaction(connection):
        for task in tasks:
            end = ends[task]
            state = _state(task.job, stale.reads_json(stock, task.job.held.host, end.reads))
            if log_id(connection, state) != task.log:
                raise AssertionError(f"{task.job.held.path} is the log of two jobs")
            finish_log(connection, task.log, state, (end.records, end.problems), end.error)
            tally.count(task.job, end.records, end.problems, end.error)


def _update(
    archive: Archive,
    database: Path,
    stock: Stock,
    wanted: list[Job],
    todo: list[Job],
    progress: Progress,
) -> Loaded:
    """Replace the rows of changed logs, a transaction a chunk; readers see each chunk whole."""
    tally = Tally(todo, progress)
    prices = price_table(archive.root)
    with closing(db.connect(database, write=True)) as connection:
        if outdated(connection, prices):
            reprice(connection, prices)
        gone = stale.gone(connection, wanted)
        repos = archive.repos()
        news = _checkouts_changed(connection, repos)
        if not todo and not gone and not news:
            return tally.loaded(len(wanted), rebuilt=False)
        work = parsed(archive.root, todo)
        while True:
            with db.transaction(connection):
                changes = Changes()
                for log in gone:
                    drop_log(connection, log, changes)
                more = _chunk(connection, stock, work, changes, tally)
                copies.mark(connection, changes, prices)
                refresh(connection, repos)
                db.merge_text(connection)
                gone = []
            if not more:
                break
    return tally.loaded(len(wanted), rebuilt=False)


def _chunk(
    connection: sqlite3.Connection,
    stock: Stock,
    work: Iterator[tuple[Job, Iterator[Batch | Parsed]]],
    changes: Changes,
    tally: Tally,
) -> bool:
    """Replace logs until the chunk is full; False when there are none left."""
    limit = tally.bytes + CHUNK
    for job, batches in work:
        _replace(connection, stock, job, batches, changes, tally)
        if tally.bytes >= limit:
            return True
    return False


def _replace(
    connection: sqlite3.Connection,
    stock: Stock,
    job: Job,
    batches: Iterator[Batch | Parsed],
    changes: Changes,
    tally: Tally,
) -> None:
    received = list(batches)
    end = received.pop()
    assert isinstance(end, Parsed)
    whole = [part for part in received if isinstance(part, Batch)]
    state = _state(job, stale.reads_json(stock, job.held.host, end.reads))
    log = log_id(connection, state)
    counts = None
    before = changes.rows
    if end.error is None:
        counts = replace(connection, log, (job.held.host, job.source), whole, changes)
    finish_log(connection, log, state, counts, end.error)
    tally.add(job, changes.rows - before, counts[1] if counts else 0, end.error)


def _state(job: Job, reads: str) -> LogState:
    held = job.held
    return LogState(
        held.host,
        job.source,
        held.path,
        held.generation,
        held.size,
        held.mtime,
        job.version,
        reads,
        _now(),
    )


def _checkouts_changed(connection: sqlite3.Connection, repos: object) -> bool:
    """Whether the hosts' checkouts tell other repositories than at the last load; notes them."""
    known = repr(sorted(repos.items())) if isinstance(repos, dict) else ""
    row = connection.execute("select value from meta where key = 'repos'").fetchone()
    if row is not None and row[0] == known:
        return False
    connection.execute("insert or replace into meta values ('repos', ?)", [known])
    return row is not None or known != "[]"

"""Building with several processes: each worker writes a database of its own, and these become one.

Rows that crossed a pipe were written and read twice over; here the largest part stays as it is, and
SQLite adds the rows of the others as they lie.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from siphon import db, parsing
from siphon.errors import SiphonError
from siphon.log import Read
from siphon.parsing import DIED, Parsed, batches, price_table
from siphon.price_table import PriceTable
from siphon.rows import Batch
from siphon.stale import Job
from siphon.workers import fork, pool
from siphon.writer import Bulk

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import apsw

_KEYED = ("messages", "tool_calls")  # ids of time and log: two parts may hold the same
_POINTING = {"messages": ("tool_calls", "message_id"), "tool_calls": ("file_touches", "tool_call_id")}
_WHOLE = ("sessions", "tallies")
_NUMBERED = ("file_touches", "requests", "relations", "problems")  # get their ids when they are merged


class Task(NamedTuple):
    """A log to read into the rows of `logs` with this id."""

    job: Job
    log: int


class Written(NamedTuple):
    """The end of a log whose rows stand in a part."""

    records: int
    problems: int
    reads: list[Read]
    error: str | None


class _Worker:
    """A worker, the database it writes, and the tasks whose rows stand there."""

    def __init__(self, pipe: "Connection", path: Path) -> None:
        self.pipe = pipe
        self.path = path
        self.done: list[Task] = []


_Given = tuple[Task, ...]  # what a worker has at hand
_AT_ONCE = 16  # logs
_BYTES_AT_ONCE = 1 << 20


def load(archive: Path, database: Path, tasks: Sequence[Task]) -> Iterator[tuple[Task, Written]]:
    """Read the logs in several processes; in the end what is built beside `database` holds their rows.

    Yields a task each time one is done; the last word on a log holds, since the logs of a worker that
    died are read again. Raises sqlite3.Error if a part cannot be written, SiphonError where a worker
    died after the last log.
    """
    jobs = [task.job for task in tasks]
    db.clear_build(database)
    if fork():  # once for all of them
        import_module("apsw")
        parsing.import_parsers(jobs)
        price_table(archive)
    with _paths(database, parsing.workers(jobs)) as paths:
        given = [(archive, path, place, len(paths)) for place, path in enumerate(paths)]
        with pool(_work, given) as pipes:
            workers = [_Worker(pipe, path) for pipe, path in zip(pipes, paths, strict=True)]
            living: list[_Worker] = []
            yield from _handed_out(workers, _grouped(tasks), living)
            for worker in living:
                with suppress(ConnectionError):
                    worker.pipe.send(None)
            for worker in living:
                _ended(worker.pipe)
        _joined(database, [worker.path for worker in living])


def _joined(database: Path, paths: Sequence[Path]) -> None:
    if not paths:  # no worker is left
        return
    largest, *others = sorted(paths, key=lambda path: path.stat().st_size, reverse=True)
    largest.replace(db.building(database))
    with closing(db.open_build(database)) as connection:
        for path in others:
            merge(connection, path)


@contextmanager
def _paths(database: Path, number: int) -> Iterator[list[Path]]:
    paths = [db.part(database, place) for place in range(number)]
    try:
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _grouped(tasks: Sequence[Task]) -> deque[_Given]:
    """Small logs go to a worker some at a time: each message costs as much as a few lines."""
    groups: deque[_Given] = deque()
    group: list[Task] = []
    size = 0
    for task in tasks:
        group.append(task)
        size += task.job.held.size
        if size > _BYTES_AT_ONCE or len(group) == _AT_ONCE:
            groups.append(tuple(group))
            group, size = [], 0
    if group:
        groups.append(tuple(group))
    return groups


def _handed_out(
    workers: list[_Worker], waiting: deque[_Given], idle: list[_Worker]
) -> Iterator[tuple[Task, Written]]:
    """Give each worker a group at a time until all are done; in the end `idle` are those that live.

    Of a group whose worker died each log is tried alone: one of them is to blame.
    """
    from multiprocessing.connection import wait

    idle.extend(workers)
    busy: dict[Connection, tuple[_Worker, _Given]] = {}
    while busy or (idle and waiting):
        while idle and waiting:
            worker, group = idle.pop(0), waiting.popleft()
            try:
                worker.pipe.send(group)
            except ConnectionError:  # it died with nothing at hand
                waiting.appendleft(group)
                _again(waiting, worker.done)
                continue
            busy[worker.pipe] = (worker, group)
        for pipe in wait(list(busy)):
            worker, group = busy.pop(pipe)  # type: ignore[call-overload]  # it is one of ours
            try:
                written = _told(worker.pipe)
            except (EOFError, ConnectionError):
                _again(waiting, worker.done)  # its database is lost with it
                if len(group) > 1:
                    _again(waiting, group)
                else:
                    yield group[0], Written(0, 0, [], DIED)
                continue
            assert written is not None
            worker.done += group
            idle.append(worker)
            yield from zip(group, written, strict=True)
    for task in chain.from_iterable(waiting):
        yield task, Written(0, 0, [], "no worker process is left to read it")


def _again(waiting: deque[_Given], tasks: Sequence[Task]) -> None:
    waiting.extendleft((task,) for task in reversed(tasks))


def _ended(pipe: "Connection") -> None:
    """Wait until a worker has closed its database."""
    try:
        _told(pipe)
    except (EOFError, ConnectionError):
        raise SiphonError(
            "a process that read logs died (out of memory?); nothing is lost: load again"
        ) from None


def _told(pipe: "Connection") -> list[Written] | None:
    word = pipe.recv()
    if isinstance(word, sqlite3.Error):
        raise word
    assert word is None or isinstance(word, list)
    return word


def _work(pipe: "Connection", archive: Path, path: Path, place: int, of: int) -> None:
    """A worker's life: write the rows of the logs that are named; None: close the database, and tell."""
    try:
        with db.sqlite_errors(), closing(db.start_part(path)) as connection:
            keys = count(place + 1, of)
            prices = price_table(archive)
            while (group := pipe.recv()) is not None:
                pipe.send([_written(connection, archive, task, keys, prices) for task in group])
            connection.execute("commit")
        pipe.send(None)
    except sqlite3.Error as error:
        with suppress(ConnectionError):
            pipe.send(error)


def _written(
    connection: "apsw.Connection", archive: Path, task: Task, keys: Iterator[int], prices: PriceTable
) -> Written:
    job = task.job
    bulk = Bulk(connection, task.log, (job.held.host, job.source), keys)
    end = appended(bulk, batches(archive, job, prices))
    return Written(bulk.records, bulk.problems, end.reads, end.error)


def appended(bulk: Bulk, parts: Iterator[Batch | Parsed]) -> Parsed:
    """Write a log's batches, none if its parser failed; returns the end."""
    for part in parts:
        if isinstance(part, Batch):
            bulk.write(part)
            continue
        if part.error is not None:
            bulk.undo()
        return part
    raise AssertionError("a log's batches end with a Parsed")


def merge(connection: sqlite3.Connection, path: Path) -> None:
    """Add a part's rows to the database; SQLite copies whole tables without looking into a row."""
    connection.execute("attach ? as part", [str(path)])
    for table in _KEYED:
        _part_ways(connection, table)
    connection.execute("begin")
    for table in (*_WHOLE, *_KEYED):
        connection.execute(f"insert into {table} select * from part.{table}")
    for table in _NUMBERED:
        names = [name for _, name, *_ in connection.execute(f"pragma table_info({table})")]
        columns = ", ".join(name for name in names if name != "id")
        connection.execute(f"insert into {table} ({columns}) select {columns} from part.{table}")
    connection.execute("commit")
    connection.execute("detach part")


def _part_ways(connection: sqlite3.Connection, table: str) -> None:
    """Rows of the part whose id the database already has go to the next id that neither has."""
    taken = connection.execute(
        f"select id from part.{table} p where exists (select 1 from main.{table} where id = p.id)"
    ).fetchall()
    if not taken:
        return
    moved = []
    for (old,) in taken:
        new = old + 1
        while any(
            connection.execute(f"select 1 from {where}.{table} where id = ?", [new]).fetchone()
            for where in ("main", "part")
        ):
            new += 1
        connection.execute(f"update part.{table} set id = ? where id = ?", [new, old])
        moved.append((old, new))
    pointing, column = _POINTING[table]
    connection.execute("create temp table moved (old integer primary key, new integer)")
    connection.executemany("insert into temp.moved values (?, ?)", moved)
    connection.execute(
        f"update part.{pointing} set {column} = (select new from temp.moved where old = {column})"
        f" where {column} in (select old from temp.moved)"
    )
    connection.execute("drop table temp.moved")

"""Parsing logs in worker processes: one log at a time each, its rows sent on in batches.

Rows cross the pipe as MessagePack, of which writing and reading take two thirds of pickle's time.
multiprocessing is imported where it is used: most loads have too little to read for workers.
"""

import gc
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from siphon.archive import Archive
from siphon.log import Log, Read
from siphon.own_prices import current_prices
from siphon.price_table import PriceTable, load_prices
from siphon.rows import Batch, Rows
from siphon.sources import sources
from siphon.stale import Job

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

BATCH_TEXT = 2 << 20  # characters of text in a batch, about
_COLLECT = (100_000, 50, 50)  # garbage is rare here, and what is kept until a log's end is much
INLINE_BYTES = 8 << 20  # less than this to parse is not worth a second process


class Parsed(NamedTuple):
    """The end of a log: what it read, and the parser's exception if it failed."""

    reads: list[Read]
    error: str | None


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(tuple[Batch | None, Parsed | None]).decode


def batches(archive: Path, job: Job, prices: PriceTable) -> Iterator[Batch | Parsed]:
    """Yield the log's rows, then one Parsed. A failing parser ends with an error, never raises."""
    held = job.held
    log = Log(_archive(archive).home(held.host), held.host, held.path)
    rows = Rows(job.source, f"{held.host}/{held.path}", prices)
    error = None
    try:
        for record in sources()[job.source].parse(log):
            rows.add(record)
            if rows.text_size > BATCH_TEXT:
                yield rows.take()
    except FileNotFoundError as missing:
        error = f"{missing.filename or missing}: not in the archive; `siphon verify` tells more"
    except Exception as bug:  # a parser's bug stops this log alone; its old rows stay
        place = traceback.extract_tb(bug.__traceback__)[-1]
        error = f"{type(bug).__name__}: {bug} ({Path(place.filename).name}:{place.lineno})"
    rows.add_problems(log.problems)
    if log.problem_count > len(log.problems):
        left = log.problem_count - len(log.problems)
        rows.problems.append((None, None, f"and {left} more problems in this log"))
    yield rows.take()
    yield Parsed(list(log.reads), error)


@lru_cache(1)
def _archive(root: Path) -> Archive:
    """One in a process: its ledger stays open from log to log."""
    return Archive(root)


def price_table(archive: Path | None = None) -> PriceTable:
    """The table that comes with siphon, with the user's own prices beside the archive."""
    return _price_table() if archive is None else current_prices(archive)


@cache
def _price_table() -> PriceTable:
    return load_prices()


def parsed(archive: Path, jobs: Sequence[Job]) -> Iterator[tuple[Job, Iterator[Batch | Parsed]]]:
    """Yield each job with its batches, which must be used up before the next job is asked for.

    Small work is done in this process; else in one worker a core. Jobs are begun in the order given
    and come as they are ready.
    """
    workers = min(os.cpu_count() or 1, len(jobs))
    if sum(job.held.size for job in jobs) < INLINE_BYTES or workers < 2:
        for job in jobs:
            yield job, batches(archive, job, price_table(archive))
        return
    with _pool(archive, workers, {job.source for job in jobs}) as pipes:
        yield from _received(pipes, jobs)


def _received(
    pipes: "list[Connection]", jobs: Sequence[Job]
) -> Iterator[tuple[Job, Iterator[Batch | Parsed]]]:
    from multiprocessing.connection import wait

    waiting = iter(enumerate(jobs))
    at_work = {pipe: job for pipe in pipes if (job := _give(pipe, waiting)) is not None}
    while at_work:
        for ready in wait(list(at_work)):
            pipe = next(one for one in at_work if one is ready)
            alive: list[bool] = []
            yield at_work.pop(pipe), _rest(pipe, alive)
            job = _give(pipe, waiting) if alive else None
            if job is not None:
                at_work[pipe] = job
    for place, job in waiting:  # left over by workers that died
        yield job, iter([Parsed([], f"no worker process is left to read log {place}")])


def _give(pipe: "Connection", waiting: Iterator[tuple[int, Job]]) -> Job | None:
    """Send a worker its next job, or the end."""
    _, job = next(waiting, (None, None))
    pipe.send(job)
    return job


def _rest(pipe: "Connection", alive: list[bool]) -> Iterator[Batch | Parsed]:
    """A log's batches as they arrive; `alive` gets an element if the worker lives to the end of it."""
    try:
        while True:
            batch, end = _DECODE(pipe.recv_bytes())
            if batch is not None:
                yield batch
            if end is not None:
                alive.append(True)
                yield end
                return
    except (EOFError, ConnectionError):
        yield Parsed([], "the process that read it died (out of memory?)")


def _start_method() -> Literal["fork", "spawn"]:
    """Forks start at once, but hang where another thread holds a lock, or on macOS."""
    alone = threading.active_count() == 1
    return "fork" if alone and sys.platform == "linux" else "spawn"


@contextmanager
def _pool(archive: Path, workers: int, names: set[str]) -> "Iterator[list[Connection]]":
    import multiprocessing

    method = _start_method()
    if method == "fork":
        for name in names:  # once, not in each worker
            import_module(sources()[name].parse.__module__)
    context: Any = multiprocessing.get_context(method)
    pairs = [context.Pipe() for _ in range(workers)]
    ends = [end for pair in pairs for end in pair] if method == "fork" else []
    processes = [
        context.Process(target=_work, args=(archive, theirs, ends), daemon=True) for _, theirs in pairs
    ]
    for process in processes:
        process.start()
    for _, theirs in pairs:
        theirs.close()
    try:
        yield [ours for ours, _ in pairs]
    finally:
        for ours, _ in pairs:
            ours.close()
        for process in processes:
            process.join(timeout=5)
            if process.is_alive():
                process.terminate()


def _work(archive: Path, pipe: "Connection", ends: "list[Connection]") -> None:
    """A worker's life: get a job, send its number, its batches and its end; stop when nobody reads.

    `ends` are the pipes' ends that a fork inherits: held open, they would hide that the reader died.
    """
    for end in ends:
        if end is not pipe:
            end.close()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    try:
        while (job := pipe.recv()) is not None:
            for data in _encoded(batches(archive, job, price_table(archive))):
                pipe.send_bytes(data)
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return


def _encoded(parts: Iterator[Batch | Parsed]) -> Iterator[bytes]:
    try:
        for part in parts:
            yield _ENCODE((part, None) if isinstance(part, Batch) else (None, part))
    except (UnicodeEncodeError, OverflowError) as error:  # SQLite could not hold it either
        yield _ENCODE((None, Parsed([], f"a value of its rows: {error}")))

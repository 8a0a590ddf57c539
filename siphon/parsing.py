"""Parsing logs in worker processes: one log at a time each, its rows sent on in batches.

Rows cross the pipe as MessagePack, of which writing and reading take two thirds of pickle's time.
"""

import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from siphon.archive import Archive
from siphon.log import Log, Read
from siphon.own_prices import current_prices
from siphon.price_table import PriceTable, load_prices
from siphon.records import Problem
from siphon.rows import Batch, Rows
from siphon.sources import sources
from siphon.stale import Job
from siphon.workers import fork, pool

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

BATCH_TEXT = 2 << 20  # characters of text in a batch, about
INLINE_BYTES = 8 << 20  # less than this to parse is not worth a second process


DIED = "the process that read it died (out of memory?)"


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
        yield from _read(job, log, rows)
    except FileNotFoundError as missing:
        error = f"{missing.filename or missing}: not in the archive; `siphon verify` tells more"
    except Exception as bug:  # a parser's bug stops this log alone; its old rows stay
        place = traceback.extract_tb(bug.__traceback__)[-1]
        error = f"{type(bug).__name__}: {bug} ({Path(place.filename).name}:{place.lineno})"
    rows.add_problems(log.problems)
    if log.problem_count > len(log.problems):
        left = log.problem_count - len(log.problems)
        rows.add_problems([Problem(f"and {left} more problems in this log")])
    yield rows.take()
    yield Parsed(list(log.reads), error)


def _read(job: Job, log: Log, rows: Rows) -> Iterator[Batch]:
    """The log's rows; rows are made of records some at a time, so a bug may show itself at the end."""
    adders = rows.adders()
    for record in sources()[job.source].parse(log):
        adders[record.__class__](record)
        if rows.text_size > BATCH_TEXT:
            yield rows.take()
    yield rows.take()


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
    count = workers(jobs)
    if count < 2:
        for job in jobs:
            yield job, batches(archive, job, price_table(archive))
        return
    if fork():
        import_parsers(jobs)
    with pool(_work, [(archive,)] * count) as pipes:
        yield from _received(pipes, jobs)


def workers(jobs: Sequence[Job]) -> int:
    """How many processes read the jobs; 1: this one."""
    if sum(job.held.size for job in jobs) < INLINE_BYTES:
        return 1
    return min(os.cpu_count() or 1, len(jobs))


def import_parsers(jobs: Iterable[Job]) -> None:
    """Once, for all workers that are forks."""
    for name in {job.source for job in jobs}:
        import_module(sources()[name].parse.__module__)


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
        yield Parsed([], DIED)


def _work(pipe: "Connection", archive: Path) -> None:
    """A worker's life: get a job, send its batches and its end; stop when there is none."""
    prices = price_table(archive)
    while (job := pipe.recv()) is not None:
        for data in _encoded(batches(archive, job, prices)):
            pipe.send_bytes(data)


def _encoded(parts: Iterator[Batch | Parsed]) -> Iterator[bytes]:
    try:
        for part in parts:
            yield _ENCODE((part, None) if isinstance(part, Batch) else (None, part))
    except (UnicodeEncodeError, OverflowError) as error:  # SQLite could not hold it either
        yield _ENCODE((None, Parsed([], f"a value of its rows: {error}")))

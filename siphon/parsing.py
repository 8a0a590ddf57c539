"""Parsing logs in worker processes: one log at a time each, its rows sent on in batches."""

import multiprocessing
import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

from siphon.archive import Archive
from siphon.log import Log, Read
from siphon.price_table import PriceTable, load_prices
from siphon.rows import Batch, Rows
from siphon.sources import sources
from siphon.stale import Job

BATCH_TEXT = 2 << 20  # characters of text in a batch, about
INLINE_BYTES = 8 << 20  # less than this to parse is not worth a second process


class Parsed(NamedTuple):
    """The end of a log: what it read, and the parser's exception if it failed."""

    reads: list[Read]
    error: str | None


def batches(archive: Path, job: Job, prices: PriceTable) -> Iterator[Batch | Parsed]:
    """Yield the log's rows, then one Parsed. A failing parser ends with an error, never raises."""
    held = job.held
    log = Log(Archive(archive).home(held.host), held.host, held.path)
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
    yield Parsed(log.reads, error)


@cache
def price_table() -> PriceTable:
    return load_prices()


def parsed(archive: Path, jobs: Sequence[Job]) -> Iterator[tuple[Job, Iterator[Batch | Parsed]]]:
    """Yield each job with its batches, which must be used up before the next job is asked for.

    Small work is done in this process; else in one worker a core. Jobs are begun in the order given
    and come as they are ready.
    """
    workers = min(os.cpu_count() or 1, len(jobs))
    if sum(job.held.size for job in jobs) < INLINE_BYTES or workers < 2:
        for job in jobs:
            yield job, batches(archive, job, price_table())
        return
    with _pool(archive, workers) as pipes:
        yield from _received(pipes, jobs)


def _received(
    pipes: list[Connection], jobs: Sequence[Job]
) -> Iterator[tuple[Job, Iterator[Batch | Parsed]]]:
    waiting = iter(enumerate(jobs))
    busy = list(pipes)
    for pipe in pipes:
        pipe.send(next(waiting, None))
    while busy:
        for ready in wait(busy):
            pipe = next(one for one in busy if one is ready)
            place = pipe.recv()
            if place is None:
                busy.remove(pipe)
                continue
            yield jobs[place], _rest(pipe)
            pipe.send(next(waiting, None))


def _rest(pipe: Connection) -> Iterator[Batch | Parsed]:
    while True:
        part = pipe.recv()
        yield part
        if isinstance(part, Parsed):
            return


@contextmanager
def _pool(archive: Path, workers: int) -> Iterator[list[Connection]]:
    context = multiprocessing.get_context("spawn")  # forks of a process with threads can hang
    pairs = [context.Pipe() for _ in range(workers)]
    processes = [
        context.Process(target=_work, args=(archive, theirs), daemon=True) for _, theirs in pairs
    ]
    for process, (_, theirs) in zip(processes, pairs, strict=True):
        process.start()
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


def _work(archive: Path, pipe: Connection) -> None:
    """A worker's life: ask for a job, send its number, its batches and its end."""
    try:
        while (task := pipe.recv()) is not None:
            place, job = task
            pipe.send(place)
            for part in batches(archive, job, price_table()):
                pipe.send(part)
        pipe.send(None)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return

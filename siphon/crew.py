"""Work side by side: one process for each job, as paramiko moves bytes in one thread only.

They are forked from a fresh process that has no threads, so it is safe wherever it is asked for, and
that has imported what they need, once. If who asked goes away, all of them end.
"""

import multiprocessing
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, TypeVar

Job = TypeVar("Job")
Word = TypeVar("Word")
Result = TypeVar("Result")
Work = Callable[[Job, Callable[[Word], None]], Result]

_AT_ONCE = 32
_PAUSE_SECONDS = 0.1  # between two words about progress


class Message(NamedTuple):
    """From a process: the number of its job, and a word on the way or the result."""

    job: int
    result: bool  # else a word on the way
    value: Any


def in_processes(
    work: Work[Job, Word, Result], jobs: Sequence[Job], say: Callable[[Word], None]
) -> list[Result | None]:
    """Call `work(job, say)`, a module's function, for each job; None for one whose process died.

    Jobs may name modules that the work will need, in `imports`.
    """
    if not jobs:
        return []
    results: list[Result | None] = [None] * len(jobs)
    with begin(work, jobs) as crew:
        for message in messages(crew):
            if message.result:
                results[message.job] = message.value
            else:
                say(message.value)
    return results


def begin(work: Work[Job, Word, Result], jobs: Sequence[Job]) -> "subprocess.Popen[bytes]":
    """Set processes to the jobs; what they say is read with `messages`. To end them close its stdin."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from siphon.crew import main; main()"
    command = [sys.executable, "-c", code]
    # A group of its own: Ctrl-C reaches us, and we end them in order.
    crew = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    assert crew.stdin is not None
    pickle.dump((work, list(jobs)), crew.stdin)
    crew.stdin.flush()
    return crew


def messages(crew: "subprocess.Popen[bytes]") -> Iterator[Message]:
    """What the processes say as it comes, until all have ended."""
    assert crew.stdout is not None
    while True:
        try:
            yield Message(*pickle.load(crew.stdout))
        except (EOFError, pickle.UnpicklingError):
            return


def main() -> None:
    """The fresh process: forks the workers and hands on what they say."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between the messages
    try:
        work, jobs = pickle.load(sys.stdin.buffer)
    except (EOFError, pickle.UnpicklingError):
        return  # who asked is gone already
    for module in {module for job in jobs for module in getattr(job, "imports", ())}:
        import_module(module)  # once, here, and not in each of the processes
    workers: dict[Connection, multiprocessing.Process] = {}
    waiting = list(enumerate(jobs))
    while waiting or workers:
        while waiting and len(workers) < _AT_ONCE:
            pipe, process = _started(work, *waiting.pop(0))
            workers[pipe] = process
        for ready in wait([sys.stdin.fileno(), *workers]):
            if not isinstance(ready, Connection):
                _end(workers.values())
                return
            try:
                pickle.dump(tuple(ready.recv()), out)
                out.flush()
            except EOFError:
                workers.pop(ready).join()


def _started(work: Work[Any, Any, Any], number: int, job: Any) -> tuple[Connection, Any]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, number, job, theirs))
    process.start()
    theirs.close()
    return ours, process


def _work(work: Work[Any, Any, Any], number: int, job: Any, pipe: Connection) -> None:
    said = 0.0

    def say(word: Any) -> None:
        nonlocal said
        if time.monotonic() - said > _PAUSE_SECONDS:
            said = time.monotonic()
            pipe.send(Message(number, False, word))

    try:
        pipe.send(Message(number, True, work(job, say)))
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more


def _end(workers: Any) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()

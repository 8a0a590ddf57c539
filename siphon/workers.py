"""Worker processes: one a core, each at the other end of a pipe.

multiprocessing is imported where it is used: most loads have too little to read for workers.
"""

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_COLLECT = (100_000, 50, 50)  # garbage is rare here, and what is kept until a log's end is much

Work = Callable[..., None]
"""A worker's life, called with its pipe and its arguments; it ends when nobody reads the pipe."""


def fork() -> bool:
    """Whether workers are forks. They start at once, but hang where another thread holds a lock."""
    return threading.active_count() == 1 and sys.platform == "linux"


@contextmanager
def pool(work: Work, arguments: Sequence[tuple[object, ...]]) -> "Iterator[list[Connection]]":
    """A worker for each of the arguments, and our ends of their pipes. `work` is a module's function."""
    import multiprocessing

    method: Literal["fork", "spawn"] = "fork" if fork() else "spawn"
    context: Any = multiprocessing.get_context(method)
    pairs = [context.Pipe() for _ in arguments]
    ends = [end for pair in pairs for end in pair] if method == "fork" else []
    processes = [
        context.Process(target=_live, args=(work, theirs, ends, given), daemon=True)
        for (_, theirs), given in zip(pairs, arguments, strict=True)
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


def _live(work: Work, pipe: "Connection", ends: "list[Connection]", given: tuple[object, ...]) -> None:
    """`ends` are what a fork inherits of the pipes: held open, they would hide that the reader died."""
    for end in ends:
        if end is not pipe:
            end.close()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    try:
        work(pipe, *given)
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return

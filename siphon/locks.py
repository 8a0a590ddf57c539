"""Locks of an archive: a file each, that says who holds it. They go with the process that holds them."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siphon import private
from siphon.errors import SiphonError

_LOOK_SECONDS = 0.02


@contextmanager
def locked(file: Path, what: Path, holder: str, patience: float = 0) -> Iterator[None]:
    """Be the only one to hold it, after so many seconds at most.

    `what` is told to be in use; `holder` is how we are named.

    Raises SiphonError naming who else does, or why it cannot be had.
    """
    try:
        descriptor = private.book(file)
    except OSError as error:
        raise _refused(file, error) from error
    try:
        end = time.monotonic() + patience
        while not _taken(descriptor):
            if time.monotonic() >= end:
                other = os.pread(descriptor, 1000, 0).decode(errors="replace") or "another process"
                raise SiphonError(f"{what}: in use by {other}; wait for it to end")
            time.sleep(_LOOK_SECONDS)
        _sign(file, descriptor, holder)
        yield
    finally:
        os.close(descriptor)


def _sign(file: Path, descriptor: int, holder: str) -> None:
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    who = f"{holder}process {os.getpid()} on {socket.gethostname()} since {since}"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode(), 0)
    except OSError as error:
        raise _refused(file, error) from error


def _refused(file: Path, error: OSError) -> SiphonError:
    return SiphonError(f"{file}: cannot be written: {error.strerror}")


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Folders and files that only their owner can read, whatever the umask, and kept through a power cut.

Below a folder that a group may read (mode SHARED, which siphon/permissions.py gives to an archive) new
ones are alike: the group may read them, and others nothing.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from siphon import syncfs

SHARED = 0o2750  # files are made with the folder's group
SHARED_FILE = 0o640
_AT_ONCE = 8
_MANY = 64  # files; syncfs is worth what else it may have to wait for


def folder(path: Path) -> None:
    """Make the folder and those above it, for its owner. Raises OSError where a file is in the way."""
    if path.is_dir():
        return
    folder(path.parent)
    try:
        path.mkdir(0o700)
    except FileExistsError:
        if not path.is_dir():  # another process may have made it meanwhile
            raise
    else:
        path.chmod(SHARED if _shared(path.parent) else 0o700)


def create(path: Path) -> IO[bytes]:
    """A new file to write, for its owner. Raises FileExistsError."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, SHARED_FILE if _shared(os.path.dirname(path)) else 0o600)  # noqa: PTH120
    return os.fdopen(descriptor, "wb", 1 << 20)


def book(path: Path) -> int:
    """A file to read and write, made with mode 0600, whoever reads the folder, if it is not there:
    its descriptor.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _shared(folder: Path | str) -> bool:
    return stat.S_IMODE(os.stat(folder).st_mode) == SHARED  # noqa: PTH116  # for each of thousands


def sync(paths: Iterable[Path]) -> None:
    """Force files, or folders' lists of names, to disk; several at once, as each waits for the disk."""
    wanted = list(set(paths))
    if len(wanted) < _AT_ONCE:
        _sync(wanted)
        return
    if len(wanted) >= _MANY and _on_one_device(wanted) and syncfs.synced(wanted[0].parent):
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_sync, [wanted[start::_AT_ONCE] for start in range(_AT_ONCE)]))


def _on_one_device(paths: Iterable[Path]) -> bool:
    return len({path.stat().st_dev for path in paths}) == 1


def _sync(paths: Sequence[Path]) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

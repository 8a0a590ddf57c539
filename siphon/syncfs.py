"""All that was written to a file system, forced to disk in one go: for many small files at once.

fsync costs each of a thousand files a commit of the file system's journal, or a wait for one: 0.2 to
1.8 s in all on ext4 where this takes 0.03 s. Linux alone has it; and it is believed only of the file
systems known to wait for the disk and to report errors, which they do since Linux 5.8.
"""

import ctypes
import os
from functools import cache
from pathlib import Path

_KNOWN = {0xEF53, 0x58465342, 0x9123683E}  # ext4, xfs, btrfs (linux/magic.h)
_REPORTS = (5, 8)
_STATFS_BYTES = 256  # more than the struct has; its first long is the kind of file system


def synced(folder: Path) -> bool:
    """Force the file system of this folder to disk; False: not here, and nothing was done.

    Raises OSError where the disk fails.
    """
    if not _there():
        return False
    libc = _libc()
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _kind(descriptor) not in _KNOWN:
            return False
        if libc.syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(folder))
    finally:
        os.close(descriptor)
    return True


def _kind(descriptor: int) -> int | None:
    buffer = (ctypes.c_long * (_STATFS_BYTES // ctypes.sizeof(ctypes.c_long)))()
    return buffer[0] if _libc().fstatfs(descriptor, buffer) == 0 else None


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def _there() -> bool:
    """Whether this is a Linux whose syncfs tells of errors."""
    system = os.uname()
    version = system.release.split(".")[:2]
    if system.sysname != "Linux" or not all(part.isdecimal() for part in version):
        return False
    return tuple(map(int, version)) >= _REPORTS and hasattr(_libc(), "syncfs")

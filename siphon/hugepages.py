"""Memory in huge pages, where Linux gives them to those who ask: madvise(2), mallopt(3).

What a full-text index is made in is touched at random: with pages of 4 kB, to look them up is a tenth
of the work.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctypes import CDLL

_SYSTEM = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_BYTES = 160 << 20  # of address space; it becomes memory as it is used
_TOP_PAD = -2  # of mallopt: what the heap grows by at once
_USUAL = 128 << 10
_PIECE = 100_000  # bytes: less than what glibc takes from elsewhere
_HUGE = 14  # of madvise


@contextmanager
def asked() -> Iterator[None]:
    """Have what C allocates in the block, in this process and its forks, lie in huge pages.

    Nothing happens where the system gives them unasked, or never, or the C library is not glibc.
    """
    libc = _glibc() if _to_be_asked() else None
    if libc is None:
        yield
        return
    _grow(libc)
    try:
        yield
    finally:
        libc.mallopt(_TOP_PAD, _USUAL)
        libc.malloc_trim(0)


def _glibc() -> "CDLL | None":
    import ctypes  # few loads are as large as to come here

    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return None
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = libc.malloc_trim.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return libc


def _grow(libc: "CDLL") -> None:
    """Let the heap grow by much at once, and mark it."""
    libc.mallopt(_TOP_PAD, _BYTES)
    before = _heap()
    taken: list[int] = []
    while _heap() == before and len(taken) * _PIECE < _BYTES:
        taken.append(libc.malloc(_PIECE))
    for piece in taken:
        libc.free(piece)
    libc.madvise(*_heap(), _HUGE)


def _to_be_asked() -> bool:
    try:
        return sys.platform == "linux" and "[madvise]" in _SYSTEM.read_text()
    except OSError:
        return False


def _heap() -> tuple[int, int]:
    """Where the process's heap lies, and its bytes; (0, 0) if it has none."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("[heap]"):
            start, _, end = line.partition(" ")[0].partition("-")
            return int(start, 16), int(end, 16) - int(start, 16)
    return 0, 0

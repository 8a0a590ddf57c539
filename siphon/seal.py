"""The ledger's seal: the hash of its whole content, which is there only while nobody has written since.

A bit that changes in an archived log is found by the ledger; one in the ledger, by its seal.
Whoever writes takes the seal off first, and puts a new one on when the work is done.
"""

import hashlib
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from siphon import private

_SEAL = ".seal"
_BROKEN = ".broken"  # was found broken, and is kept so that the next writer does not hide it


def put_on(ledger: Path) -> None:
    """Seal the ledger as it is; the caller keeps others from writing."""
    part = ledger.with_name(f"{ledger.name}{_SEAL}-{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        with private.create(part) as file:
            file.write(_hash(ledger).encode())
        private.sync([part])
        part.replace(_file(ledger))
    finally:
        part.unlink(missing_ok=True)


def take_off(ledger: Path) -> None:
    """Before a transaction is committed: not even a power cut leaves a seal of something else."""
    with suppress(FileNotFoundError):
        _file(ledger).unlink()
        private.sync([ledger.parent])


def broken(ledger: Path) -> bool:
    """Whether the ledger is not as it was sealed, or was found so before. Others must not write."""
    if _file(ledger, _BROKEN).exists():
        return True
    with suppress(FileNotFoundError):
        return _file(ledger).read_bytes() != _hash(ledger).encode()
    return False


def keep_broken(ledger: Path) -> None:
    """Remember that the seal was found broken."""
    if broken(ledger):
        with suppress(FileNotFoundError):
            _file(ledger).replace(_file(ledger, _BROKEN))


def accept(ledger: Path) -> None:
    """Take the ledger as it is: forget a broken seal."""
    for end in (_SEAL, _BROKEN):
        _file(ledger, end).unlink(missing_ok=True)


def _file(ledger: Path, end: str = _SEAL) -> Path:
    return ledger.with_name(f"{ledger.name}{end}")


def _hash(ledger: Path) -> str:
    """Through a connection of its own, which has no page in memory yet; never by opening the file, as
    closing it would drop the locks that SQLite holds on it.
    """
    try:
        with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as fresh:
            return hashlib.sha256(fresh.serialize()).hexdigest()
    except sqlite3.Error as error:
        return f"unreadable: {error}"

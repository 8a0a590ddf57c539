"""What this machine has pushed where, so that what has not changed is not even read again.

Only a help: without it logs are compared with what lies there, or sent again.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.errors import SiphonError

_TABLE = """create table if not exists pushed (
    target text not null,   -- URL and machine
    path text not null,
    stamp text not null,    -- as listed here when it was pushed
    mark text not null,     -- as listed there
    primary key (target, path)
) without rowid"""


class Sent(NamedTuple):
    """A log as it was here, and as it is there."""

    stamp: str
    mark: str


class Memory:
    """What was pushed to one target."""

    def __init__(self, file: Path, target: str) -> None:
        self._file = file
        self._target = target

    def sent(self) -> dict[str, Sent]:
        """All of it, by path."""
        if not self._file.exists():
            return {}
        with closing(self._opened()) as db:
            rows = db.execute("select path, stamp, mark from pushed where target = ?", (self._target,))
            return {path: Sent(stamp, mark) for path, stamp, mark in rows}

    def add(self, sent: Mapping[str, Sent]) -> None:
        """Remember more."""
        if not sent:
            return
        with closing(self._opened()) as db, db:
            rows = [(self._target, path, *each) for path, each in sent.items()]
            db.executemany("insert or replace into pushed values (?, ?, ?, ?)", rows)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only push of this user; raises SiphonError where another one is at work."""
        private.folder(self._file.parent)
        descriptor = private.book(self._file.with_suffix(".lock"))
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SiphonError("another push is at work; wait for it to end") from None
            yield
        finally:
            os.close(descriptor)

    def _opened(self) -> sqlite3.Connection:
        try:
            private.folder(self._file.parent)
            if not self._file.exists():
                os.close(private.book(self._file))
            db = sqlite3.connect(self._file, timeout=60)
            db.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise SiphonError(f"{self._file}: {error}; it may be deleted, no log is lost") from error
        return db

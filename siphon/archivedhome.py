"""What an archive holds of one host, read as a home."""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from siphon.globs import compiled, fixed_folder
from siphon.ledger import Entry, Ledger
from siphon.packs import opened
from siphon.stores import copied


class ArchivedHome:
    """A Home (siphon.log): the current generations of one host's logs."""

    def __init__(self, root: Path, ledger: Ledger, host: str) -> None:
        self.root = root
        self.ledger = ledger
        self.host = host

    def open(self, path: str) -> IO[bytes] | None:
        while (entry := self._entry(path)) is not None:
            try:
                file = opened(self.root, entry.place, entry.size)
            except FileNotFoundError:
                if _same(entry, self._entry(path)):
                    raise
                continue  # it was packed, or unpacked, between the two looks
            if _same(entry, self._entry(path)):
                return file
            file.close()  # a new generation took its place
        return None

    def _entry(self, path: str) -> Entry | None:
        entry = self.ledger.entry(self.host, path)
        return None if entry is None or entry.pruned_at is not None else entry

    def glob(self, pattern: str) -> list[str]:
        match = compiled(pattern).fullmatch
        below = self.ledger.paths(self.host, fixed_folder(pattern))
        return [path for path in below if match(path)]

    def sqlite(self, path: str) -> AbstractContextManager[sqlite3.Connection]:
        # The collector archives a store with its -wal merged into it.
        return copied([("", self.open(path))])


def _same(one: Entry, other: Entry | None) -> bool:
    """Whether both name the same file, which may have grown."""
    return other is not None and one[:4] == other[:4] and one.place == other.place

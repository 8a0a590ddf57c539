"""A plain folder as a home: fixtures, loose files and dry runs are read through it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from siphon.globs import compiled, fixed_folder
from siphon.stores import copied


class Folder:
    """A Home (siphon.log) on a directory of this machine; links are followed only inside it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def open(self, path: str) -> IO[bytes] | None:
        file = self._inside(path)
        return file.open("rb") if file is not None and file.is_file() else None

    def glob(self, pattern: str) -> list[str]:
        match = compiled(pattern).fullmatch
        return sorted(path for path in self.files(fixed_folder(pattern)) if match(path))

    def files(self, below: str = "") -> Iterator[str]:
        """Yield the POSIX path of every file below a folder of the home."""
        for folder, names, files in os.walk(self.root / below):
            names.sort()
            for name in sorted(files):
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    @contextmanager
    def sqlite(self, path: str) -> Iterator[sqlite3.Connection]:
        with copied([(suffix, self.open(path + suffix)) for suffix in ("", "-wal")]) as connection:
            yield connection

    def _inside(self, path: str) -> Path | None:
        file = (self.root / path).resolve()
        return file if file.is_relative_to(self.root) else None

"""SQLite stores of other tools: read from a private copy, never in place, never without their -wal."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

_MAGIC = b"SQLite format 3\0"


def is_store(file: IO[bytes] | None) -> bool:
    """Whether the file is an SQLite store; closes it.

    A store holds more than sessions: Cursor's has the tokens of its login. So no page, export or API
    serves one, or a part of one, as it is.
    """
    if file is None:
        return False
    with file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def copied(files: Sequence[tuple[str, IO[bytes] | None]]) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of a store given as (suffix, bytes) pairs: "" the main file, "-wal" …

    The copy lies in a temporary folder and is gone afterwards. Raises sqlite3.DatabaseError where the
    main file is missing or is no database.
    """
    with tempfile.TemporaryDirectory(prefix="siphon-") as folder:
        for suffix, file in files:
            if file is not None:
                with file, (Path(folder) / f"store{suffix}").open("wb") as copy:
                    shutil.copyfileobj(file, copy, 1 << 20)
        store = Path(folder) / "store"
        if not store.exists():
            raise sqlite3.DatabaseError("no such store")
        with closing(sqlite3.connect(store)) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="replace")
            connection.execute("pragma query_only = on")
            yield connection

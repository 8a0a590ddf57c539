"""Make the SQLite stores of the cases from the SQL beside them: x.db of x.db.sql.

    python tests/homes/make_stores.py

What follows a line `-- wal` stays in the write-ahead log, as in a store that its tool has open. A line
`-- cut N` leaves the first N bytes of the store. The SQL has functions for what SQL cannot write:
zstd(text), sha256(blob) as hex, digest(blob) as bytes, field(number, value) of a protobuf message and
bytes(value, …) one after the other. A store whose contents have not changed is left alone: its bytes
depend on SQLite's version.
"""

import hashlib
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

import zstandard

HOMES = Path(__file__).resolve().parent
SUFFIXES = ("", "-wal")


def main() -> None:
    for script in sorted(HOMES.glob("**/*.sql")):
        store = script.with_suffix("")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / store.name
            make(made, script.read_text())
            size = cut(script)
            if size is None and contents(made) == contents(store):
                continue
            if size is None or not store.exists() or store.read_bytes() != made.read_bytes()[:size]:
                replace(store, made, size)
                print(store.relative_to(HOMES))


def make(store: Path, script: str) -> None:
    """Run the script and leave the store as its writer would have left it running."""
    before, _, after = script.partition("\n-- wal\n")
    working = store.with_name("working")
    connection = opened(working)
    connection.executescript(before)
    if after:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma wal_autocheckpoint = 0")
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.executescript(after)
    for suffix in SUFFIXES:
        source = working.with_name(working.name + suffix)
        if source.exists():
            shutil.copy(source, store.with_name(store.name + suffix))
    connection.close()


def opened(store: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("pragma page_size = 1024")
    for name, count, function in (
        ("zstd", 1, lambda text: zstandard.ZstdCompressor(write_content_size=True).compress(raw(text))),
        ("sha256", 1, lambda value: hashlib.sha256(raw(value)).hexdigest()),
        ("digest", 1, lambda value: hashlib.sha256(raw(value)).digest()),
        ("field", 2, field),
        ("bytes", -1, lambda *values: b"".join(raw(value) for value in values)),
    ):
        connection.create_function(name, count, function, deterministic=True)
    return connection


def raw(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def field(number: int, value: object) -> bytes:
    """A length-delimited field; values here are shorter than 16,384 bytes."""
    data = raw(value)
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return bytes([number << 3 | 2]) + size + data


def cut(script: Path) -> int | None:
    found = re.search(r"^-- cut (\d+)$", script.read_text(), re.MULTILINE)
    return int(found[1]) if found else None


def contents(store: Path) -> list[str] | None:
    """All rows, and which files hold them; None: there is no readable store."""
    if not store.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            file = store.with_name(store.name + suffix)
            if file.exists():
                shutil.copy(file, Path(folder) / f"store{suffix}")
        files = [file.name for file in sorted(Path(folder).iterdir())]
        connection = sqlite3.connect(Path(folder) / "store")
        connection.text_factory = bytes
        try:
            tables = [
                row[0].decode()
                for row in connection.execute("select name from sqlite_master where type = 'table'")
            ]
            rows = [
                repr(row) for name in tables for row in connection.execute(f'select * from "{name}"')
            ]
        except sqlite3.DatabaseError:
            return None
        finally:
            connection.close()
        return [*files, *tables, *rows]


def replace(store: Path, made: Path, size: int | None) -> None:
    for suffix in SUFFIXES:
        target, source = (path.with_name(path.name + suffix) for path in (store, made))
        target.unlink(missing_ok=True)
        if source.exists():
            target.write_bytes(source.read_bytes()[:size])


if __name__ == "__main__":
    main()

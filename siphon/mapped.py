"""The database read through memory: a search looks at rows all over it, and copying their pages takes
half its time.
"""

import sqlite3

_BYTES = (
    1 << 40
)  # more than any has; SQLite takes as much as it can, 2 GiB where nobody built it otherwise


def mapped(connection: sqlite3.Connection) -> None:
    """Map the file that the connection reads, as far as SQLite can."""
    connection.execute(f"pragma mmap_size = {_BYTES}")

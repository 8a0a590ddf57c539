"""The full-text index, over many small loads."""

import sqlite3
from contextlib import closing
from pathlib import Path

from claude_lines import Lines
from road import road
from siphon.search import Query, search

LOADS = 30
SESSION = "00000040-aaaa-4000-8000-000000000040"


def test_however_many_small_loads_there_were_a_search_looks_into_few_pieces(tmp_path: Path) -> None:
    """Each adds one to the index; SQLite by itself lets 15 of them gather, behind a large one more."""
    lines = Lines(SESSION)
    lines.prompt("the beginning")
    lines.write(tmp_path / "laptop")
    made = road(tmp_path, {"laptop": tmp_path / "laptop"})
    made.step()
    most = 0
    for number in range(LOADS):
        lines.prompt(f"harbour word{number}")
        lines.write(tmp_path / "laptop")
        made.step()
        with closing(sqlite3.connect(made.database)) as connection:
            sql = "select count(distinct segid) from messages_fts_idx"
            most = max(most, connection.execute(sql).fetchone()[0])
    assert most <= 5
    with closing(sqlite3.connect(made.database)) as connection:
        assert search(connection, Query("harbour")).total == LOADS
        assert [search(connection, Query(f"word{number}")).total for number in range(LOADS)] == [
            1
        ] * LOADS

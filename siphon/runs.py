"""The book of runs: copied for readers of the database, and kept short.

What happened stays; that nothing happened is forgotten after a week.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from siphon import db
from siphon.archive import Archive
from siphon.ledger import RUN, Run

_KEPT = 7 * 24 * 3600 * 1000  # ms
_STATE = "select count(*), max(id), max(ended_at), sum(outcome = 'running') from runs"


def thin(archive: Archive, at: int) -> int:
    """Drop runs of more than a week before `at` (ms) that found nothing new; how many went.

    Each host's last run and its last success stay, whatever they found.
    """
    if not (archive.root / ".ledger.db").exists():
        return 0
    with archive.ledger.write() as book:
        return book.execute(
            "delete from runs where ended_at < ? and outcome = 'ok' and kind in ('collect', 'load')"
            " and coalesce(logs_changed, 0) = 0 and coalesce(problems, 0) = 0"
            " and id not in (select max(id) from runs group by kind, host, outcome)",
            [at - _KEPT],
        ).rowcount


def copy(archive: Archive, database: Path) -> None:
    """Bring runs and hosts' states in the database up to what the ledger says."""
    (state,) = archive.ledger.rows(_STATE)
    with closing(db.connect(database, write=True)) as connection:
        if connection.execute(_STATE).fetchone() == state:
            return
        with db.transaction(connection):
            _forget(archive, connection)
            _copy_from(archive, connection, _first(connection))
            if connection.execute(_STATE).fetchone() != state:  # it was made from another ledger
                _copy_from(archive, connection, 0)
            connection.executemany(
                "insert into hosts (name, collected_at, attempted_at, error) values (?, ?, ?, ?)"
                " on conflict do update set collected_at = excluded.collected_at,"
                " attempted_at = excluded.attempted_at, error = excluded.error",
                archive.host_states(),
            )


def _forget(archive: Archive, connection: sqlite3.Connection) -> None:
    """Drop runs that were dropped from the ledger."""
    kept = {id for (id,) in archive.ledger.rows("select id from runs")}
    gone = [(id,) for (id,) in connection.execute("select id from runs") if id not in kept]
    connection.executemany("delete from runs where id = ?", gone)


def _first(connection: sqlite3.Connection) -> int:
    """The id of the first run that may be another in the ledger: it was not over, or is not here."""
    row = connection.execute(
        "select coalesce(min(id) filter (where outcome = 'running'), max(id) + 1, 0) from runs"
    ).fetchone()
    return int(row[0])


def _copy_from(archive: Archive, connection: sqlite3.Connection, first: int) -> None:
    connection.execute("delete from runs where id >= ?", [first])
    rows = archive.ledger.rows(f"select {RUN} from runs where id >= ? order by id", first)
    marks = ", ".join("?" * len(Run._fields))
    connection.executemany(f"insert into runs ({RUN}) values ({marks})", rows)

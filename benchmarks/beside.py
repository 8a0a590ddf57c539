"""A load that runs beside: sessions of the kind that large.py makes come into its database, as a load
brings them, until its standard input ends; then they are taken out again.

    python -m benchmarks.beside DATABASE
"""

import select
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

from benchmarks.large import Plan, places
from benchmarks.text import Text
from siphon import copies, db
from siphon.parsing import price_table
from siphon.prices import PriceTable
from siphon.refresh import refresh
from siphon.replacing import Changes, drop_log, replace
from siphon.rows import Rows
from siphon.writer import LogState, finish_log, log_id

SESSIONS, MESSAGES = 10, 100  # of a transaction, and of each of its sessions: some 2,500 rows
_PATH = ".beside/"  # where the logs would lie


def main() -> None:
    """Prints a line for each transaction."""
    rng = Random("beside")
    text = Text(rng, 2_000_000)
    plan = Plan(rng, text, time.time_ns() // 1_000_000, places(rng))
    prices = price_table()
    with closing(db.connect(Path(sys.argv[1]), write=True)) as connection:
        try:
            while not select.select([sys.stdin], [], [], 0)[0]:
                _load(connection, plan, prices)
                print("loaded", flush=True)
        finally:
            _take_out(connection, prices)


def _load(connection: sqlite3.Connection, plan: Plan, prices: PriceTable) -> None:
    changes = Changes()
    with db.transaction(connection):
        for _ in range(SESSIONS):
            head = plan.head(0, 1, MESSAGES)
            path = f"{_PATH}{head.native_id}.jsonl"
            rows = Rows(head.source, path, prices)
            for record in plan.records(head, MESSAGES, False):
                rows.add(record)
            state = LogState(head.host, head.source, path, 1, 200_000, head.start, 1, "[]", head.start)
            log = log_id(connection, state)
            counts = replace(connection, log, (head.host, head.source), [rows.take()], changes)
            finish_log(connection, log, state, counts, None)
        copies.mark(connection, changes, prices)
        refresh(connection, {})


def _take_out(connection: sqlite3.Connection, prices: PriceTable) -> None:
    changes = Changes()
    with db.transaction(connection):
        logs = connection.execute("select id from logs where path glob ?", [f"{_PATH}*"]).fetchall()
        for row in logs:
            drop_log(connection, row[0], changes)
        copies.mark(connection, changes, prices)
        refresh(connection, {})
    connection.execute("pragma wal_checkpoint(truncate)")


if __name__ == "__main__":
    main()

"""The book of runs: a copy that only ever moves what is new, and a ledger that forgets idle runs."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from claude_lines import Lines
from road import Road, road
from siphon import runs
from siphon.db import connect
from siphon.ledger import Run

DAY = 24 * 3600 * 1000


@pytest.fixture
def made(tmp_path: Path) -> Road:
    home = tmp_path / "home"
    lines = Lines("00000001-0000-4000-8000-000000000001")
    lines.prompt("a question")
    lines.write(home, "-p")
    made = road(tmp_path / "siphon", {"laptop": home})
    made.collect()
    made.load()
    return made


def recorded(made: Road, count: int, changed: int = 0, at: int = 0) -> list[Run]:
    run = Run(kind="collect", host="laptop", started_at=at, ended_at=at, outcome="ok", logs_seen=1)
    return [made.archive.ledger.record_run(run._replace(logs_changed=changed)) for _ in range(count)]


def copied(made: Road) -> list[Run]:
    with closing(connect(made.database)) as database:
        rows = database.execute(f"select {', '.join(Run._fields)} from runs order by id")
        return [Run(*row) for row in rows]


def written(made: Road, work: Callable[[], None]) -> set[int]:
    """The ids of the runs that were written or deleted in the copy meanwhile."""
    with closing(sqlite3.connect(made.database, isolation_level=None)) as database:
        database.execute("create table told (id integer)")
        for event, row in (("insert", "new"), ("delete", "old"), ("update", "new")):
            database.execute(
                f"create trigger told_{event} after {event} on runs"
                f" begin insert into told values ({row}.id); end"
            )
        work()
        return {id for (id,) in database.execute("select id from told")}


def test_a_copy_moves_what_is_new_and_what_was_not_over(made: Road) -> None:
    recorded(made, 50)
    runs.copy(made.archive, made.database)
    assert copied(made) == made.archive.runs()
    begun = made.archive.ledger.record_run(Run(kind="collect", host="laptop", started_at=1))
    runs.copy(made.archive, made.database)
    made.archive.ledger.record_run(begun._replace(outcome="ok", ended_at=2))
    (new,) = recorded(made, 1)
    assert written(made, lambda: runs.copy(made.archive, made.database)) == {begun.id, new.id}
    assert copied(made) == made.archive.runs()


def test_after_idle_runs_were_forgotten_nothing_else_is_copied_again(made: Road) -> None:
    idle, busy = recorded(made, 50), recorded(made, 3, changed=2)
    runs.copy(made.archive, made.database)
    last = recorded(made, 1, at=DAY)
    assert runs.thin(made.archive, 8 * DAY) == 50
    forgotten = {run.id for run in idle}
    touched = written(made, lambda: runs.copy(made.archive, made.database))
    assert touched == forgotten | {run.id for run in last}
    assert copied(made) == made.archive.runs()
    assert {run.id for run in busy} <= {run.id for run in copied(made)}


def test_a_host_keeps_its_last_run_and_its_last_success_however_old(made: Road) -> None:
    at = made.archive.runs()[-1].started_at
    success = recorded(made, 3, at=at)[-1]
    failed = made.archive.ledger.record_run(
        Run(kind="collect", host="laptop", started_at=at, ended_at=at, outcome="error", error="no")
    )
    runs.thin(made.archive, at + 1000 * DAY)
    assert [run.id for run in made.archive.runs()][-2:] == [success.id, failed.id]


def test_a_copy_of_another_ledger_is_replaced(made: Road) -> None:
    with closing(sqlite3.connect(made.database, isolation_level=None)) as database:
        database.execute("update runs set ended_at = ended_at + 1000")
    recorded(made, 1)
    runs.copy(made.archive, made.database)
    assert copied(made) == made.archive.runs()

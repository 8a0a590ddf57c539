"""Loading with several processes: each writes a part of the database, and the parts are merged."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from dump import dump, totals
from goldens import HOMES
from made_once import copy_of
from road import Road, road
from siphon import db, parts, stale
from siphon.errors import SiphonError
from siphon.load import load
from siphon.parsing import DIED
from siphon.parts import merge
from siphon.sources import sources

pytest_plugins = ["made_once_fixtures"]  # the real homes: enough logs for several workers


def test_a_worker_that_dies_after_the_last_log_is_told_and_the_next_load_has_all(
    real_road: Road, tmp_path: Path
) -> None:
    own = copy_of(real_road, tmp_path)
    own.database.unlink()

    def kill(done: int, total: int) -> None:
        if done == total:
            worker = multiprocessing.active_children()[0]
            os.kill(worker.pid or 0, signal.SIGKILL)
            worker.join()

    with pytest.raises(SiphonError, match="load again"):
        load(own.archive, own.database, progress=kill)
    assert not own.database.exists()
    own.load()
    assert dump(own.database) == dump(real_road.database)


def test_the_logs_of_a_killed_worker_are_read_again_and_only_the_one_at_hand_waits(
    real_road: Road, tmp_path: Path
) -> None:
    own = copy_of(real_road, tmp_path)
    own.database.unlink()
    killed: list[int | None] = []

    def kill(done: int, total: int) -> None:
        workers = multiprocessing.active_children()
        if done > total / 3 and not killed:
            assert len(workers) > 1
            killed.append(workers[0].pid)
            os.kill(workers[0].pid or 0, signal.SIGKILL)
            workers[0].join()

    done = load(own.archive, own.database, progress=kill)
    assert killed
    assert [error for _, error in done.failed] in ([DIED], [])  # none, if it had just told of its log
    assert done.changed == done.logs
    own.load()
    assert dump(own.database) == dump(real_road.database)
    assert totals(own.database) == totals(real_road.database)


@pytest.mark.parametrize("at_hand", [False, True])
def test_the_logs_of_a_worker_that_died_are_read_by_another(tmp_path: Path, at_hand: bool) -> None:
    """Between two logs, or with several at hand, of which one at most is to blame."""
    case = HOMES / "codex" / "tools"
    made = road(tmp_path, {home.name: home for home in case.iterdir() if home.is_dir()})
    made.collect()
    jobs = stale.jobs(stale.Stock(made.archive.held(), made.archive.home), sources(), ())
    tasks = [parts.Task(job, number) for number, job in enumerate([*jobs, *jobs], 1)]
    groups = parts._grouped(tasks)
    assert [len(group) for group in groups] == [len(tasks)] and len(tasks) > 1
    dying, its_end = multiprocessing.Pipe()
    ours, theirs = multiprocessing.Pipe()
    workers = [parts._Worker(pipe, tmp_path / name) for pipe, name in ((dying, "b"), (ours, "a"))]
    given = (theirs, made.archive.root, tmp_path / "a", 0, 1)
    work = threading.Thread(target=parts._work, args=given, daemon=True)
    work.start()
    death = threading.Thread(target=_dies, args=(its_end, at_hand), daemon=True)
    death.start()
    if not at_hand:
        death.join()
    idle: list[parts._Worker] = []
    done = list(parts._handed_out(workers, groups, idle))
    ours.send(None)
    work.join()
    assert sorted(task.log for task, _ in done) == [task.log for task in tasks]
    assert {written.error for _, written in done} == {None}
    assert idle == workers[1:]


def _dies(pipe: Connection, at_hand: bool) -> None:
    if at_hand:
        pipe.recv()
    pipe.close()


def test_nothing_is_left_beside_the_database(real_road: Road) -> None:
    names = {path.name for path in real_road.database.parent.glob(".siphon.db*")}
    assert names <= {".siphon.db.lock"}


def test_rows_of_two_parts_that_took_the_same_id_both_stay_and_keep_what_points_to_them(
    tmp_path: Path,
) -> None:
    database = tmp_path / "siphon.db"
    with closing(db.start_build(database)) as connection:
        for place in (0, 1):
            part = db.part(database, place)
            _fill(part, place + 1)
            merge(connection, part)
        rows = connection.execute(
            "select m.session_id, m.id, m.text, c.id, c.name, f.path from messages m"
            " join tool_calls c on c.message_id = m.id join file_touches f on f.tool_call_id = c.id"
            " order by m.session_id, m.seq"
        ).fetchall()
    assert rows == [
        (1, 100, "1 a", 200, "1 a", "1 a"),
        (1, 101, "1 b", 201, "1 b", "1 b"),
        (2, 102, "2 a", 202, "2 a", "2 a"),
        (2, 103, "2 b", 203, "2 b", "2 b"),
    ]


def _fill(path: Path, log: int) -> None:
    """A session of two messages, each with a call that touches a file; ids 100, 101 and 200, 201."""
    with closing(db.start_part(path)) as part:
        part.execute(
            "insert into sessions (id, uid, host, source, native_id, log_id, kind)"
            f" values ({log}, '{log}', 'h', 's', 'n', {log}, 'main')"
        )
        for seq, letter in enumerate("ab"):
            name = f"{log} {letter}"
            part.execute(
                "insert into messages"
                " (id, session_id, seq, role, kind, abandoned, identity, log_id, text)"
                " values (?, ?, ?, 'user', 'prompt', 0, 0, ?, ?)",
                [100 + seq, log, seq, log, name],
            )
            part.execute(
                "insert into tool_calls (id, session_id, message_id, seq, name, kind, status, abandoned,"
                " identity, log_id) values (?, ?, ?, ?, ?, 'edit', 'ok', 0, 0, ?)",
                [200 + seq, log, 100 + seq, seq, name, log],
            )
            part.execute(
                "insert into file_touches (session_id, tool_call_id, path, action, log_id)"
                " values (?, ?, ?, 'edit', ?)",
                [log, 200 + seq, name, log],
            )
        part.execute("commit")


@pytest.mark.parametrize("share", [0.02, 0.6, 0.95])
def test_a_full_disk_is_one_line_and_the_old_database_stays(
    real_road: Road, tmp_path: Path, share: float
) -> None:
    """No file may grow beyond a share of what it would be: SQLite is told what a full disk tells it.

    While workers write, while their parts become one, and while text is indexed.
    """
    config = tmp_path / "siphon.yml"
    own = copy_of(real_road, tmp_path)
    limit = int(own.database.stat().st_size * share)
    own.database.unlink()
    config.write_text(f"archive: {own.config.archive}\ndatabase: {own.database}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "siphon", "--config", str(config), "load"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert ran.returncode == 1
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "siphon.db" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.glob("*.db"))
